package kms

import (
	"context"
	"maps"
	"regexp"
	"strings"

	"hydrant/internal/aws"
)

var aliasPattern = regexp.MustCompile(`^[a-zA-Z0-9:/_-]+$`)

// aliasInput is of CreateAlias and UpdateAlias.
type aliasInput struct {
	AliasName   string
	TargetKeyID string `json:"TargetKeyId"`

	key target
}

// allow asks for the alias and for the key, as AWS does.
func (in *aliasInput) allow(ctx context.Context, s *Service, c *aws.Call) error {
	in.key = s.find(in.TargetKeyID)
	if err := c.Allow(ctx, s.arn(clip(in.AliasName))); err != nil {
		return err
	}
	return c.Allow(ctx, in.key.arn)
}

func (in *aliasInput) check(v *violations) {
	v.text("aliasName", in.AliasName, 1, 256, aliasPattern)
	v.text("targetKeyId", in.TargetKeyID, 1, 2048, nil)
}

// judgeAlias says whether users may have an alias of that name.
func judgeAlias(name string) error {
	bare, ok := strings.CutPrefix(name, aliasPrefix)
	switch {
	case !ok || bare == "":
		return answer(validation, "Invalid identifier")
	case strings.Contains(bare, ":"):
		return answer(validation, "%s contains invalid characters for an alias", name)
	case strings.HasPrefix(name, managedPrefix):
		return answer("NotAuthorizedException", "")
	}
	return nil
}

// aim checks what an alias shall point to. The caller holds change, so it stays true.
func (s *Service) aim(t target) error {
	k, err := s.present(t)
	switch {
	case err != nil:
		return err
	case k.State == pendingDeletion:
		return s.isPending(k)
	case k.Managed != "":
		return answer("NotAuthorizedException", "")
	case s.aliasesOf(t.id) >= maxAliases:
		return answer(limitExceeded, "A key may have %d aliases.", maxAliases)
	}
	return nil
}

// present is existing for callers that hold change, which catching up would wait for.
func (s *Service) present(t target) (*key, error) {
	if t.err != nil {
		return nil, t.err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k := s.keys[t.id]; k != nil {
		return k, nil
	}
	return nil, s.noKey(t.id)
}

// hasAlias looks a user's alias up.
func (s *Service) hasAlias(name string) (alias, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.aliases[name]
	return a, ok
}

func (s *Service) createAlias(in *aliasInput) (nothing, error) {
	if err := judgeAlias(in.AliasName); err != nil {
		return nothing{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	if _, ok := s.hasAlias(in.AliasName); ok {
		return nothing{}, answer("AlreadyExistsException", "An alias with the name %s already exists", s.arn(in.AliasName))
	}
	if err := s.aim(in.key); err != nil {
		return nothing{}, err
	}
	now := s.opt.Now()
	return nothing{}, s.storeAliases(func(aliases map[string]alias) {
		aliases[in.AliasName] = alias{Target: in.key.id, Created: now, Updated: now}
	})
}

func (s *Service) updateAlias(in *aliasInput) (nothing, error) {
	if err := judgeAlias(in.AliasName); err != nil {
		return nothing{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	a, ok := s.hasAlias(in.AliasName)
	if !ok {
		return nothing{}, s.noAlias(in.AliasName)
	}
	if a.Target == in.key.id {
		return nothing{}, nil
	}
	if err := s.aim(in.key); err != nil {
		return nothing{}, err
	}
	a.Target, a.Updated = in.key.id, s.opt.Now()
	return nothing{}, s.storeAliases(func(aliases map[string]alias) { aliases[in.AliasName] = a })
}

type deleteAliasInput struct{ AliasName string }

// allow asks for the alias, and for the key if there is one.
func (in *deleteAliasInput) allow(ctx context.Context, s *Service, c *aws.Call) error {
	if err := c.Allow(ctx, s.arn(clip(in.AliasName))); err != nil {
		return err
	}
	if a, ok := s.hasAlias(in.AliasName); ok {
		return c.Allow(ctx, s.keyARN(a.Target))
	}
	return nil
}

func (in *deleteAliasInput) check(v *violations) {
	v.text("aliasName", in.AliasName, 1, 256, aliasPattern)
}

func (s *Service) deleteAlias(in *deleteAliasInput) (nothing, error) {
	if err := judgeAlias(in.AliasName); err != nil {
		return nothing{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	if _, ok := s.hasAlias(in.AliasName); !ok {
		return nothing{}, s.noAlias(in.AliasName)
	}
	return nothing{}, s.storeAliases(func(aliases map[string]alias) { delete(aliases, in.AliasName) })
}

// listAliasesInput may name a key.
type listAliasesInput struct {
	general
	pager
	KeyID string `json:"KeyId"`
}

func (in *listAliasesInput) check(v *violations) {
	in.checkPage(v, 100)
	v.text("keyId", in.KeyID, 0, 2048, nil)
}

type aliasEntry struct {
	AliasName       string
	AliasArn        string
	TargetKeyID     string `json:"TargetKeyId"`
	CreationDate    seconds
	LastUpdatedDate seconds
}

type listAliasesOutput struct {
	Aliases []aliasEntry
	more
}

func (s *Service) listAliases(in *listAliasesInput) (listAliasesOutput, error) {
	only := ""
	if in.KeyID != "" {
		k, err := s.existing(s.find(in.KeyID))
		if err != nil {
			return listAliasesOutput{}, err
		}
		only = k.ID
	}
	all := []aliasEntry{}
	for name, a := range s.allAliases() {
		if only == "" || a.Target == only {
			all = append(all, aliasEntry{name, s.arn(name), a.Target, secondsOf(a.Created), secondsOf(a.Updated)})
		}
	}
	aliases, more, err := page(&in.pager, 50, all, func(e aliasEntry) string { return e.AliasName })
	return listAliasesOutput{aliases, more}, err
}

// allAliases are the users' aliases and those of the managed keys.
func (s *Service) allAliases() map[string]alias {
	s.catchUp()
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := maps.Clone(s.aliases)
	for service, id := range s.managed {
		created := s.keys[id].Created
		all[managedPrefix+service] = alias{Target: id, Created: created, Updated: created}
	}
	return all
}
