package aws

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretsDoNotPrint(t *testing.T) {
	key := Key{Secret: "tell-nobody", Token: "tell-nobody"}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", key, "secret", key.Secret)
	encoded, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	signer := NewSigner("id", key.Secret, key.Token, "s3", "r")
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v %#v %q %s", key, key, key, &key), fmt.Sprintf("%x", key.Secret),
		fmt.Sprintf("%+v %#v", signer, signer), logged.String(), string(encoded),
	} {
		if strings.Contains(text, "nobody") || strings.Contains(text, fmt.Sprintf("%x", "tell-nobody")) {
			t.Error(text)
		}
	}
}
