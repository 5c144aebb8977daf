package stream

import (
	"errors"
	"slices"
	"time"
)

// EncryptionStatus is where a stream's own encryption stands (spec section 2.12).
type EncryptionStatus string

// The statuses of spec section 2.12. A stream that never had encryption is DISABLED. Turning
// it off cannot fail, so DISABLING_FAILED is never reached.
const (
	EncryptionDisabled       EncryptionStatus = "DISABLED"
	EncryptionEnabling       EncryptionStatus = "ENABLING"
	EncryptionEnabled        EncryptionStatus = "ENABLED"
	EncryptionEnablingFailed EncryptionStatus = "ENABLING_FAILED"
	EncryptionDisabling      EncryptionStatus = "DISABLING"
)

// Key types of DeliveryStreamEncryptionConfigurationInput.
const (
	AWSOwnedKey = "AWS_OWNED_CMK"        // the node's own
	CustomerKey = "CUSTOMER_MANAGED_CMK" // one of the KMS, named by its ARN
)

// Key is the KMS key that a stream's data keys are wrapped under.
type Key struct {
	Type string `json:"type"`
	ARN  string `json:"arn,omitzero"` // of a customer's key
}

// Encryption is the state of a stream's own encryption.
type Encryption struct {
	Status EncryptionStatus `json:"status,omitzero"`
	// Key is what was asked for last, and what Describe shows.
	Key *Key `json:"key,omitzero"`
	// InUse is what records are sealed with now; nil: they are not. It stays the former key
	// until a new one has proved to work.
	InUse *Key `json:"inUse,omitzero"`
	// Failure says why Key could not be taken into use.
	Failure *Failure `json:"failure,omitzero"`
	// Calls are the times of Start and Stop in the last 24 hours.
	Calls []time.Time `json:"calls,omitzero"`
}

// MaxEncryptionCalls is how often Start and Stop together may be called in 24 hours.
const MaxEncryptionCalls = 25

const encryptionWindow = 24 * time.Hour

// ErrNoEncryption refuses encryption for a stream whose records come from elsewhere.
var ErrNoEncryption = refuse("Server side encryption from firehose is only allowed for direct put delivery streams and database as a source delivery streams")

var (
	// ErrEncryptionBusy: the encryption is being turned on or off.
	ErrEncryptionBusy = errors.New("encryption is being changed")
	// ErrEncryptionCalls: MaxEncryptionCalls is reached.
	ErrEncryptionCalls = errors.New("encryption was changed too often")
)

// Key is the key that an input asks for; nil asks for the node's own.
func (in *EncryptionInput) Key() Key {
	if in == nil {
		return Key{Type: AWSOwnedKey}
	}
	return Key{Type: in.KeyType, ARN: or(in.KeyARN, "")}
}

// Check says whether key type and ARN fit, and whether the key is of the region (spec
// section 2.13.3). Errors are Refusals.
func (in *EncryptionInput) Check(region string) error {
	switch {
	case in == nil:
		return nil
	case in.KeyType == CustomerKey && in.KeyARN == nil:
		return refuse("KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK")
	case in.KeyType == AWSOwnedKey && in.KeyARN != nil:
		return refuse("KeyARN cannot be specified when KeyType is AWS_OWNED_CMK")
	case in.KeyARN != nil && regionOf(*in.KeyARN) != region:
		return refuse("Cross-region keys are not allowed for SSE. Please provide CMKs in the same region as firehose")
	}
	return nil
}

// StartEncryption begins to take a key into use. Errors: ErrEncryptionBusy, ErrEncryptionCalls.
func (e *Encryption) StartEncryption(key Key, now time.Time) error {
	if err := e.count(now); err != nil {
		return err
	}
	e.Status, e.Key, e.Failure = EncryptionEnabling, &key, nil
	return nil
}

// StopEncryption begins to turn encryption off, and says whether there is anything to turn
// off. Errors: ErrEncryptionBusy, ErrEncryptionCalls.
func (e *Encryption) StopEncryption(now time.Time) (changed bool, err error) {
	if e.Status == "" || e.Status == EncryptionDisabled {
		return false, nil
	}
	if err := e.count(now); err != nil {
		return false, err
	}
	e.Status, e.Failure = EncryptionDisabling, nil
	return true, nil
}

// count notes one call of Start or Stop.
func (e *Encryption) count(now time.Time) error {
	if e.Changing() {
		return ErrEncryptionBusy
	}
	recent := slices.DeleteFunc(slices.Clone(e.Calls), func(t time.Time) bool { return now.Sub(t) >= encryptionWindow })
	if len(recent) >= MaxEncryptionCalls {
		return ErrEncryptionCalls
	}
	e.Calls = append(recent, now.UTC())
	return nil
}

// Changing reports whether a change is under way.
func (e *Encryption) Changing() bool {
	return e.Status == EncryptionEnabling || e.Status == EncryptionDisabling
}

// Finish ends a change that is under way: failure is nil, or why the key cannot be used.
func (e *Encryption) Finish(failure *Failure) {
	switch {
	case e.Status == EncryptionDisabling:
		*e = Encryption{Status: EncryptionDisabled, Calls: e.Calls}
	case failure != nil:
		e.Status, e.Failure = EncryptionEnablingFailed, failure
	default:
		e.Status, e.InUse = EncryptionEnabled, e.Key
	}
}
