package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
)

// encryptionDocument is a bucket's default encryption, as clients read and write it.
type encryptionDocument struct {
	XMLName xml.Name         `xml:"ServerSideEncryptionConfiguration"`
	Space   string           `xml:"xmlns,attr,omitempty"`
	Rules   []encryptionRule `xml:"Rule"`
}

type encryptionRule struct {
	Default struct {
		Algorithm string `xml:"SSEAlgorithm"`
		KeyID     string `xml:"KMSMasterKeyID,omitempty"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKeyEnabled bool
}

// putBucketEncryption sets how objects are encrypted that do not say it themselves.
func (c *call) putBucketEncryption() error {
	body, check, err := c.checkedBody()
	if err != nil {
		return err
	}
	var request encryptionDocument
	if err := readDocument(body, &request); err != nil {
		return err
	}
	if _, err := check.finish(); err != nil {
		return err
	}
	if len(request.Rules) != 1 {
		return errMalformedXML
	}
	rule := request.Rules[0]
	w := encryptionWish{Algorithm: rule.Default.Algorithm, KeyID: rule.Default.KeyID, BucketKey: rule.BucketKeyEnabled}
	switch w.Algorithm {
	case sseKMS:
	case sseOwn:
		if w.KeyID != "" {
			return badArgument("KMSMasterKeyID", w.KeyID, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
		w.BucketKey = false
	case "aws:kms:dsse":
		return unimplemented("SSEAlgorithm aws:kms:dsse")
	default:
		return errMalformedXML
	}
	if _, err := c.s.keysOf(w.Algorithm); err != nil {
		return err
	}
	if err := c.s.setDefaultEncryption(c.bucket, w); err != nil {
		return err
	}
	return c.empty(http.StatusOK)
}

// bucketEncryption tells a bucket's default.
func (c *call) bucketEncryption() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	info, err := c.s.readBucketInfo(c.bucket)
	if err != nil {
		return err
	}
	w := info.Encryption
	if w.Algorithm == "" {
		return &aws.Error{Code: "ServerSideEncryptionConfigurationNotFoundError", Status: http.StatusNotFound,
			Message: "The server side encryption configuration was not found",
			Extra:   []aws.Field{{Name: "BucketName", Value: c.bucket}}}
	}
	rule := encryptionRule{BucketKeyEnabled: w.BucketKey}
	rule.Default.Algorithm, rule.Default.KeyID = w.Algorithm, w.KeyID
	return writeDocument(c.w, http.StatusOK, &encryptionDocument{Space: namespace, Rules: []encryptionRule{rule}})
}

// deleteBucketEncryption ends a bucket's default: objects are plain files again.
func (c *call) deleteBucketEncryption() error {
	if err := c.s.setDefaultEncryption(c.bucket, encryptionWish{}); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// setDefaultEncryption stores a bucket's default.
func (s *Store) setDefaultEncryption(bucket string, w encryptionWish) error {
	tree := s.tree(bucket)
	tree.Lock()
	defer tree.Unlock()
	if err := s.requireBucket(bucket); err != nil {
		return err
	}
	info, err := s.readBucketInfo(bucket)
	if err != nil {
		return err
	}
	info.Encryption = w
	data, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("encode what is known of bucket %s: %w", bucket, err)
	}
	s.defaults.Delete(bucket) // whatever comes of the write
	meta := filepath.Join(s.metaPath, bucket)
	if err := s.disk.MkdirAll(meta, folderPerm); err != nil { // a person may have made the bucket
		return fmt.Errorf("store the encryption of bucket %s: %w", bucket, err)
	}
	if err := s.disk.WriteFileVia(s.stagingPath, filepath.Join(meta, bucketFile), data, filePerm); err != nil {
		return fmt.Errorf("store the encryption of bucket %s: %w", bucket, err)
	}
	return nil
}

// defaultEncryption is a bucket's default. It is kept in memory, since every put asks.
func (s *Store) defaultEncryption(bucket string) (encryptionWish, error) {
	if w, ok := s.defaults.Load(bucket); ok {
		return w.(encryptionWish), nil
	}
	tree := s.tree(bucket)
	tree.RLock() // so that nobody changes it between the read and the store
	defer tree.RUnlock()
	if err := s.requireBucket(bucket); err != nil {
		return encryptionWish{}, err
	}
	info, err := s.readBucketInfo(bucket)
	if err != nil {
		return encryptionWish{}, err
	}
	w := info.Encryption
	if w.Algorithm == sseKMS && w.KeyID == "" {
		w.KeyID = defaultKMSKey
	}
	s.defaults.Store(bucket, w)
	return w, nil
}
