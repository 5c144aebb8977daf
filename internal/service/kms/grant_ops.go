package kms

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"hydrant/internal/aws"
)

// grant is a stored grant.
type grant struct {
	ID          string       `json:"id"`
	Created     time.Time    `json:"created"`
	Name        string       `json:"name,omitzero"`
	Grantee     string       `json:"grantee"`
	Retiring    string       `json:"retiring,omitzero"`
	Operations  []string     `json:"operations"`
	Constraints *constraints `json:"constraints,omitzero"`
}

// constraints bind a grant to encryption contexts.
type constraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
}

func (g *grant) weight() int {
	n := len(g.ID) + len(g.Name) + len(g.Grantee) + len(g.Retiring)
	for _, o := range g.Operations {
		n += len(o)
	}
	if g.Constraints != nil {
		n += len(canonical(g.Constraints.EncryptionContextEquals)) + len(canonical(g.Constraints.EncryptionContextSubset))
	}
	return n
}

// same reports whether two grants differ in nothing but id and age.
func (g grant) same(other grant) bool {
	other.ID, other.Created = g.ID, g.Created
	return reflect.DeepEqual(g, other)
}

// grantOperations are what grants may allow.
var grantOperations = []string{
	"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
	"Sign", "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
	"GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret",
}

var (
	grantNamePattern = regexp.MustCompile(`^[a-zA-Z0-9:/_-]+$`)
	principalPattern = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
)

type createGrantInput struct {
	named
	GranteePrincipal  string
	RetiringPrincipal string
	Operations        []string
	Constraints       *constraints
	GrantTokens       []string
	Name              string
	DryRun            bool
}

func (in *createGrantInput) check(v *violations) {
	in.named.check(v)
	v.text("granteePrincipal", in.GranteePrincipal, 1, 256, principalPattern)
	v.text("retiringPrincipal", in.RetiringPrincipal, 0, 256, principalPattern)
	v.text("name", in.Name, 0, 256, grantNamePattern)
	v.tokens(in.GrantTokens)
	if len(in.Operations) == 0 {
		v.add("operations", "Member must not be null")
	}
	for _, o := range in.Operations {
		if !slices.Contains(grantOperations, o) {
			v.oneOf("operations", o, grantOperations...)
			break
		}
	}
	if in.Constraints != nil {
		v.context("constraints.encryptionContextEquals", in.Constraints.EncryptionContextEquals)
		v.context("constraints.encryptionContextSubset", in.Constraints.EncryptionContextSubset)
	}
}

type grantOutput struct {
	GrantID    string `json:"GrantId"`
	GrantToken string
}

// createGrant repeats the answer if there is the very same grant under that name.
func (s *Service) createGrant(in *createGrantInput) (grantOutput, error) {
	operations := slices.Clone(in.Operations)
	slices.Sort(operations)
	g := grant{
		ID: hex.EncodeToString(random(32)), Created: s.opt.Now(), Name: in.Name, Grantee: in.GranteePrincipal,
		Retiring: in.RetiringPrincipal, Operations: slices.Compact(operations), Constraints: in.Constraints,
	}
	err := s.alterGrants(in.key, func(k *key) error {
		if k.State == disabled {
			return s.isDisabled(k)
		}
		if i := slices.IndexFunc(k.Grants, g.same); i >= 0 && g.Name != "" {
			g = k.Grants[i]
			return nil
		}
		if len(k.Grants) >= maxGrants {
			return answer(limitExceeded, "A key may have %d grants.", maxGrants)
		}
		k.Grants = append(k.Grants, g)
		return rehearsed(in.DryRun)
	})
	return grantOutput{g.ID, grantToken(in.key.id, g.ID)}, err
}

// alterGrants changes the grants of a key. Managed keys have grants, too: services make them.
func (s *Service) alterGrants(t target, fn func(k *key) error) error {
	if t.err != nil {
		return t.err
	}
	return s.update(t.id, func(k *key) error {
		if k.State == pendingDeletion {
			return s.isPending(k)
		}
		return fn(k)
	})
}

// A grant token names a grant. It gives no rights, so it need not be hard to guess.
func grantToken(key, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key + " " + id))
}

func readGrantToken(token string) (key, id string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), " ")
}

// grantInput names a grant of a key; RetireGrant may name both by a token instead.
type grantInput struct {
	named
	GrantID string `json:"GrantId"`
	DryRun  bool
}

func (in *grantInput) check(v *violations) {
	in.named.check(v)
	v.text("grantId", in.GrantID, 1, 128, nil)
}

func (s *Service) revokeGrant(in *grantInput) (nothing, error) {
	return nothing{}, s.removeGrant(in.key, in.GrantID, in.DryRun)
}

// removeGrant works in every state of the key.
func (s *Service) removeGrant(t target, id string, dry bool) error {
	if t.err != nil {
		return t.err
	}
	return s.update(t.id, func(k *key) error {
		i := slices.IndexFunc(k.Grants, func(g grant) bool { return g.ID == id })
		if i < 0 {
			return keyError(notFound, "Grant ID %s not found", clip(id))
		}
		k.Grants = slices.Delete(k.Grants, i, i+1)
		return rehearsed(dry)
	})
}

type retireGrantInput struct {
	grantInput
	GrantToken string
}

// allow reads the token first, since it names the key.
func (in *retireGrantInput) allow(ctx context.Context, s *Service, c *aws.Call) error {
	if in.GrantToken != "" {
		key, id, ok := readGrantToken(in.GrantToken)
		if !ok {
			return answer("InvalidGrantTokenException", "The grant token is not valid.")
		}
		in.KeyID, in.GrantID = key, id
	}
	return in.named.allow(ctx, s, c)
}

func (s *Service) retireGrant(in *retireGrantInput) (nothing, error) {
	return nothing{}, s.removeGrant(in.key, in.GrantID, in.DryRun)
}

type listGrantsInput struct {
	named
	pager
	GrantID          string `json:"GrantId"`
	GranteePrincipal string
}

func (in *listGrantsInput) check(v *violations) {
	in.named.check(v)
	in.checkPage(v, 100)
	v.text("grantId", in.GrantID, 0, 128, nil)
	v.text("granteePrincipal", in.GranteePrincipal, 0, 256, nil)
}

type grantEntry struct {
	KeyID             string `json:"KeyId"`
	GrantID           string `json:"GrantId"`
	Name              string `json:",omitempty"`
	CreationDate      seconds
	GranteePrincipal  string
	RetiringPrincipal string `json:",omitempty"`
	IssuingAccount    string
	Operations        []string
	Constraints       *constraints `json:",omitzero"`
}

type listGrantsOutput struct {
	Grants []grantEntry
	more
}

func (s *Service) listGrants(in *listGrantsInput) (listGrantsOutput, error) {
	k, err := s.existing(in.key)
	if err != nil {
		return listGrantsOutput{}, err
	}
	issuer := aws.ARN{Partition: s.opt.Partition, Service: "iam", Account: s.opt.Account, Resource: "root"}.String()
	all := []grantEntry{}
	for _, g := range k.Grants {
		if in.GrantID != "" && g.ID != in.GrantID || in.GranteePrincipal != "" && g.Grantee != in.GranteePrincipal {
			continue
		}
		all = append(all, grantEntry{
			in.key.arn, g.ID, g.Name, secondsOf(g.Created), g.Grantee, g.Retiring, issuer, g.Operations, g.Constraints,
		})
	}
	grants, more, err := page(&in.pager, 50, all, func(e grantEntry) string { return e.GrantID })
	return listGrantsOutput{grants, more}, err
}
