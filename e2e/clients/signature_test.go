package clients

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/smithy-go"
)

// stranger is somebody whose signature does not hold, and what they are told.
type stranger struct {
	as   aws.Config
	code string
}

// strangers are those, by what is wrong with them.
func strangers(cfg aws.Config) map[string]stranger {
	unknown, wrong, abroad := cfg.Copy(), cfg.Copy(), cfg.Copy()
	unknown.Credentials = credentials.NewStaticCredentialsProvider("AKIANOBODYKNOWSTHIS1", "secret", "")
	keys := cfg.Credentials
	wrong.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := keys.Retrieve(ctx)
		c.SecretAccessKey += "x"
		return c, err
	})
	abroad.Region = "eu-west-3"
	return map[string]stranger{
		"unknown key":  {unknown, "UnrecognizedClientException"},
		"wrong secret": {wrong, "InvalidSignatureException"},
		"other region": {abroad, "InvalidSignatureException"},
	}
}

func TestAStrangerIsToldWhatIsWrongWithTheSignature(t *testing.T) {
	t.Parallel()
	for name, refused := range strangers(start(t).Config()) {
		t.Run(name, func(t *testing.T) {
			_, err := firehose.NewFromConfig(refused.as).ListDeliveryStreams(t.Context(), &firehose.ListDeliveryStreamsInput{})
			if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != refused.code {
				t.Errorf("got %v, want %s", err, refused.code)
			}
		})
	}
}

func TestARequestWithoutAReadableSignatureIsRefused(t *testing.T) {
	t.Parallel()
	url := start(t).Address.URL() + "/"
	for _, c := range []struct{ name, authorization, code string }{
		{"none", "", "MissingAuthenticationTokenException"},
		{"half a signature", "AWS4-HMAC-SHA256 Credential=AKIANOBODYKNOWSTHIS1/20260101/us-east-1/firehose/aws4_request", "IncompleteSignatureException"},
		{"not a signature", "AWS4-HMAC-SHA256 please", "IncompleteSignatureException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Amz-Target", "Firehose_20150804.ListDeliveryStreams")
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got struct {
				Code string `json:"__type"`
			}
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Code != c.code || resp.StatusCode != http.StatusBadRequest {
				t.Errorf("got %d %s (%v), want %s", resp.StatusCode, got.Code, err, c.code)
			}
		})
	}
}

// TestNothingIsOpenWithoutASignature asks as a browser would.
func TestNothingIsOpenWithoutASignature(t *testing.T) {
	t.Parallel()
	server := start(t)
	for _, path := range []string{"/", "/go-lake", "/go-lake/key"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Address.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close() != nil || resp.StatusCode/100 != 4 {
			t.Errorf("GET %s was answered %s", path, resp.Status)
		}
	}
}
