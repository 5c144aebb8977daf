package kms

import (
	"time"
)

// seconds is a time as the API tells it.
type seconds float64

func secondsOf(t time.Time) seconds { return seconds(float64(t.UnixMilli()) / 1000) }

// metadata is what the API tells of a key.
type metadata struct {
	AWSAccountID             string `json:"AWSAccountId"`
	KeyID                    string `json:"KeyId"`
	Arn                      string
	CreationDate             seconds
	Enabled                  bool
	Description              string
	KeyUsage                 string
	KeyState                 state
	DeletionDate             seconds `json:",omitzero"`
	Origin                   string
	KeyManager               string
	CustomerMasterKeySpec    string
	KeySpec                  string
	EncryptionAlgorithms     []string
	MultiRegion              bool
	MultiRegionConfiguration *multiRegion `json:",omitzero"`
}

// multiRegion says that a key has no replicas.
type multiRegion struct {
	MultiRegionKeyType string
	PrimaryKey         regionalKey
	ReplicaKeys        []regionalKey
}

type regionalKey struct{ Arn, Region string }

func (s *Service) describe(k *key) metadata {
	m := metadata{
		AWSAccountID: s.opt.Account, KeyID: k.ID, Arn: s.keyARN(k.ID), CreationDate: secondsOf(k.Created),
		Enabled: k.State == enabled, Description: k.Description, KeyUsage: "ENCRYPT_DECRYPT", KeyState: k.State,
		Origin: "AWS_KMS", KeyManager: "CUSTOMER", CustomerMasterKeySpec: symmetric, KeySpec: symmetric,
		EncryptionAlgorithms: []string{symmetric}, MultiRegion: k.MultiRegion,
	}
	if k.Managed != "" {
		m.KeyManager = "AWS"
	}
	if k.State == pendingDeletion {
		m.DeletionDate = secondsOf(k.Deletion)
	}
	if k.MultiRegion {
		m.MultiRegionConfiguration = &multiRegion{"PRIMARY", regionalKey{m.Arn, s.opt.Region}, []regionalKey{}}
	}
	return m
}

type keyOutput struct{ KeyMetadata metadata }

type createKeyInput struct {
	general
	Policy                string
	Description           string
	KeyUsage              string
	KeySpec               string
	CustomerMasterKeySpec string
	Origin                string
	MultiRegion           bool
	Tags                  []tag
}

func (in *createKeyInput) check(v *violations) {
	v.text("policy", in.Policy, 0, maxPolicy, nil)
	v.text("description", in.Description, 0, 8192, nil)
	v.oneOf("keyUsage", in.KeyUsage, "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")
	v.oneOf("origin", in.Origin, "AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
	checkTags(v, in.Tags)
}

func (s *Service) createKey(in *createKeyInput) (keyOutput, error) {
	spec := in.KeySpec
	if spec == "" {
		spec = in.CustomerMasterKeySpec
	}
	for _, member := range []struct{ name, value, only string }{
		{"KeyUsage", in.KeyUsage, "ENCRYPT_DECRYPT"}, {"KeySpec", spec, symmetric}, {"Origin", in.Origin, "AWS_KMS"},
	} {
		if member.value != "" && member.value != member.only {
			return keyOutput{}, answer(unsupported, "The only %s of this service is %s.", member.name, member.only)
		}
	}
	if err := judgePolicy(in.Policy); err != nil {
		return keyOutput{}, err
	}
	k := &key{Description: in.Description, MultiRegion: in.MultiRegion, Policy: in.Policy}
	if err := k.tag(in.Tags); err != nil {
		return keyOutput{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.add(k); err != nil {
		return keyOutput{}, err
	}
	return keyOutput{s.describe(k)}, nil
}

type describeKeyInput struct {
	named
	GrantTokens []string
}

func (in *describeKeyInput) check(v *violations) {
	in.named.check(v)
	v.tokens(in.GrantTokens)
}

func (s *Service) describeKey(in *describeKeyInput) (keyOutput, error) {
	k, err := s.existing(in.key)
	if err != nil {
		return keyOutput{}, err
	}
	return keyOutput{s.describe(k)}, nil
}

// existing returns the key that a request named, whatever its state.
func (s *Service) existing(t target) (*key, error) {
	if t.err != nil {
		return nil, t.err
	}
	return s.lookup(t.id)
}

type listKeysInput struct {
	general
	pager
}

func (in *listKeysInput) check(v *violations) { in.checkPage(v, 1000) }

type keyEntry struct {
	KeyID  string `json:"KeyId"`
	KeyArn string
}

type listKeysOutput struct {
	Keys []keyEntry
	more
}

// listKeys lists the keys by id, managed ones too.
func (s *Service) listKeys(in *listKeysInput) (listKeysOutput, error) {
	s.catchUp()
	now := s.opt.Now()
	s.mu.RLock()
	all := make([]keyEntry, 0, len(s.keys))
	for id, k := range s.keys {
		if !k.gone(now) {
			all = append(all, keyEntry{id, s.keyARN(id)})
		}
	}
	s.mu.RUnlock()
	keys, more, err := page(&in.pager, 100, all, func(e keyEntry) string { return e.KeyID })
	return listKeysOutput{keys, more}, err
}
