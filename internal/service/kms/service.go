package kms

import (
	"log/slog"
	"sync"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/durable"
)

// Options are what a Service is opened with. All fields are required.
type Options struct {
	Root      string // data directory; the keys are in Root/keys
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits
	Logger    *slog.Logger
	Now       func() time.Time
}

// Service holds the keys. It is safe for many goroutines.
type Service struct {
	opt    Options
	folder *folder
	own    *key

	change sync.Mutex // held from reading what is to be changed until mu shows the change

	mu      sync.RWMutex // over all below; never held over a write to disk
	keys    map[string]*key
	managed map[string]string // key ids by service
	aliases map[string]alias  // the users'; the map is replaced, not changed
	damaged map[string]bool   // ids whose files cannot be read
	due     time.Time         // of the earliest key; zero: nothing is due
}

// Open reads the keys, and makes the master key and the own key at the first start. Files
// of keys that are damaged are logged and left alone; their keys are unavailable.
func Open(o Options) (*Service, error) { return open(o, durable.Disk{}) }

func open(o Options, disk durable.Disk) (*Service, error) {
	f, err := openFolder(o.Root, disk)
	if err != nil {
		return nil, err
	}
	s := &Service{
		opt: o, folder: f,
		keys: make(map[string]*key), managed: make(map[string]string), damaged: make(map[string]bool),
	}
	ids, err := f.keyFiles()
	if err != nil {
		return nil, err
	}
	if s.own, err = f.own(len(ids), o.Now()); err != nil {
		return nil, err
	}
	if s.aliases, err = f.readAliases(); err != nil {
		return nil, err
	}
	for _, id := range ids {
		s.load(id)
	}
	s.due = s.earliest()
	s.catchUp()
	return s, nil
}

// load reads one key while the service opens.
func (s *Service) load(id string) {
	k, err := s.folder.readKey(id + keySuffix)
	if err == nil && k.ID != id {
		err = ErrDamaged
	}
	if err != nil {
		s.opt.Logger.Error("key is unavailable until its file is restored", "key", id, "error", err)
		s.damaged[id] = true
		return
	}
	s.keys[id] = k
	if k.Managed != "" {
		s.managed[k.Managed] = id
	}
}

// JSON returns the API, to be mounted as kms.
func (s *Service) JSON() *aws.JSON {
	return aws.NewJSON("kms", "TrentService", map[string]aws.Operation{
		"CancelKeyDeletion":               handle(s, s.cancelKeyDeletion),
		"CreateAlias":                     handle(s, s.createAlias),
		"CreateGrant":                     handle(s, s.createGrant),
		"CreateKey":                       handle(s, s.createKey),
		"Decrypt":                         handle(s, s.decrypt),
		"DeleteAlias":                     handle(s, s.deleteAlias),
		"DescribeKey":                     handle(s, s.describeKey),
		"DisableKey":                      handle(s, s.disableKey),
		"DisableKeyRotation":              handle(s, s.disableKeyRotation),
		"EnableKey":                       handle(s, s.enableKey),
		"EnableKeyRotation":               handle(s, s.enableKeyRotation),
		"Encrypt":                         handle(s, s.encrypt),
		"GenerateDataKey":                 handle(s, s.generateDataKey),
		"GenerateDataKeyWithoutPlaintext": handle(s, s.generateDataKeyWithoutPlaintext),
		"GenerateRandom":                  handle(s, s.generateRandom),
		"GetKeyPolicy":                    handle(s, s.getKeyPolicy),
		"GetKeyRotationStatus":            handle(s, s.getKeyRotationStatus),
		"ListAliases":                     handle(s, s.listAliases),
		"ListGrants":                      handle(s, s.listGrants),
		"ListKeys":                        handle(s, s.listKeys),
		"ListResourceTags":                handle(s, s.listResourceTags),
		"PutKeyPolicy":                    handle(s, s.putKeyPolicy),
		"ReEncrypt":                       handle(s, s.reEncrypt),
		"RetireGrant":                     handle(s, s.retireGrant),
		"RevokeGrant":                     handle(s, s.revokeGrant),
		"ScheduleKeyDeletion":             handle(s, s.scheduleKeyDeletion),
		"TagResource":                     handle(s, s.tagResource),
		"UntagResource":                   handle(s, s.untagResource),
		"UpdateAlias":                     handle(s, s.updateAlias),
	}, nil)
}
