package s3_test

import (
	"errors"
	"testing"

	"hydrant/internal/dest/s3"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/record"
)

// inFake is a destination over a fake store in this process.
func inFake(t *testing.T, opt s3.Options) (*s3.Destination, *s3fake.Fake) {
	t.Helper()
	f := s3fake.New(bucket)
	opt.Endpoint, opt.Transport = "http://store.internal", f.Transport()
	return open(t, opt), f
}

// write stores an object by put, and one by upload.
func write(t *testing.T, d *s3.Destination, put, upload record.Object) {
	t.Helper()
	if err := d.Put(t.Context(), put, body("x")); err != nil {
		t.Fatal(err)
	}
	id, err := d.Begin(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Part(t.Context(), upload, id, 1, body("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Complete(t.Context(), upload, id, []record.Part{p}); err != nil {
		t.Fatal(err)
	}
}

func TestObjectsAskForTheEncryptionTheyNeed(t *testing.T) {
	for _, c := range []struct {
		name, option, key, sse string
	}{
		{"a key", "", key, "aws:kms"},
		{"a key before the store's setting", "AES256", key, "aws:kms"},
		{"the store's setting", "AES256", "", "AES256"},
		{"what the bucket does by default", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, f := inFake(t, s3.Options{ServerSideEncryption: c.option})
			put, upload := object("put"), object("upload")
			put.KMSKey, upload.KMSKey = c.key, c.key
			write(t, d, put, upload)
			for _, o := range f.Objects(bucket) {
				sse, id := o.Header.Get("X-Amz-Server-Side-Encryption"), o.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")
				if sse != c.sse || id != c.key {
					t.Errorf("%s was sent with encryption %q and key %q", o.Key, sse, id)
				}
			}
		})
	}
}

func TestAnEncryptionThatNeedsMoreThanItsNameIsNoSetting(t *testing.T) {
	_, err := s3.New(t.Context(), s3.Options{Region: "us-east-1", ServerSideEncryption: "aws:kms",
		Credentials: s3.StaticCredentials("AKIDEXAMPLE", "very-secret", "")})
	if err == nil {
		t.Fatal("aws:kms was taken without a key")
	}
}

// TestAKeyThatCannotBeUsedHoldsAnObjectBackAndLosesNothing disables a key in the middle of
// an upload and enables it again.
func TestAKeyThatCannotBeUsedHoldsAnObjectBackAndLosesNothing(t *testing.T) {
	d, f := inFake(t, s3.Options{})
	o := object("upload")
	o.KMSKey = key
	id, err := d.Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Part(t.Context(), o, id, 1, body("kept"))
	if err != nil {
		t.Fatal(err)
	}
	f.RefuseKey(key, "KMS.DisabledException")
	if err := d.Put(t.Context(), o, body("y")); !errors.Is(err, record.ErrDenied) {
		t.Errorf("put: %v", err)
	}
	if _, err := d.Begin(t.Context(), o); !errors.Is(err, record.ErrDenied) {
		t.Errorf("begin: %v", err)
	}
	if err := d.Complete(t.Context(), o, id, []record.Part{p}); err == nil || errors.Is(err, record.ErrDenied) || errors.Is(err, record.ErrUploadGone) {
		t.Errorf("complete: %v", err)
	}
	if n := len(f.Objects(bucket)); n != 0 || len(f.Uploads()) != 1 {
		t.Fatalf("%d objects are visible, %d uploads open", n, len(f.Uploads()))
	}
	f.RefuseKey(key, "")
	if err := d.Complete(t.Context(), o, id, []record.Part{p}); err != nil {
		t.Fatal(err)
	}
	if got, ok := f.Object(bucket, o.Key); !ok || string(got.Body) != "kept" {
		t.Fatalf("the object is %q, %v", got.Body, ok)
	}
}

func TestErrorsAreToldInTheWordsThatUsersKnow(t *testing.T) {
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{404, "NoSuchBucket", "S3.NoSuchBucket"},
		{403, "AccessDenied", "S3.AccessDenied"},
		{403, "InvalidAccessKeyId", "S3.AccessDenied"},
		{403, "SomethingElse", "S3.AccessDenied"},
		{403, "AccountProblem", "S3.AccountProblem"},
		{403, "AllAccessDisabled", "S3.AllAccessDisabled"},
		{403, "InvalidPayer", "S3.InvalidPayer"},
		{403, "NotSignedUp", "S3.NotSignedUp"},
		{405, "MethodNotAllowed", "S3.MethodNotAllowed"},
		{400, "InvalidToken", "S3.InvalidToken"},
		{400, "IllegalLocationConstraintException", "S3.IllegalLocationConstraintException"},
		{503, "SlowDown", "S3.SlowDown"},
		{400, "KMS.NotFoundException", "S3.KMS.NotFoundException"},
		{400, "KMS.DisabledException", "S3.KMS.KeyDisabled"},
		{400, "KMS.KMSInvalidStateException", "S3.KMS.InvalidStateException"},
		{400, "KMS.InvalidKeyUsageException", "S3.KMS.AsymmetricCMKNotSupported"},
		{400, "KMS.ThrottlingException", "S3.KMS.RequestLimitExceeded"},
		{500, "InternalError", "InternalError"},
		{418, "Unheard", "InternalError"},
	} {
		d, f := inFake(t, s3.Options{})
		f.SetFault(func(s3fake.Op) s3fake.Fault { return s3fake.Refuse(c.status, c.code) })
		var words *record.Complaint
		if err := d.Put(t.Context(), object("k"), body("x")); !errors.As(err, &words) {
			t.Errorf("%s: no words for %v", c.code, err)
		} else if words.Code != c.want || words.Message == "" {
			t.Errorf("%s is told as %s: %s", c.code, words.Code, words.Message)
		}
	}
}

func TestTheAnswerToASizeIsPutIntoWordsByItsStatus(t *testing.T) {
	for status, want := range map[int]string{403: "S3.AccessDenied", 405: "S3.MethodNotAllowed", 503: "S3.SlowDown", 500: "InternalError"} {
		d, f := inFake(t, s3.Options{})
		f.SetFault(func(s3fake.Op) s3fake.Fault { return s3fake.Refuse(status, "unseen") })
		var words *record.Complaint
		if _, _, err := d.Size(t.Context(), object("k")); !errors.As(err, &words) || words.Code != want {
			t.Errorf("%d: %+v", status, words)
		}
	}
	d, _ := inFake(t, s3.Options{})
	var words *record.Complaint
	if _, _, err := d.Size(t.Context(), record.Object{Bucket: "elsewhere", Key: "k"}); !errors.As(err, &words) || words.Code != "S3.NoSuchBucket" {
		t.Errorf("a bucket that is not there: %+v", words)
	}
}
