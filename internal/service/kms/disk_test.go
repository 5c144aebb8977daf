package kms

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hydrant/internal/durable"
	"hydrant/internal/record"
)

func (w *world) file(name string) string { return filepath.Join(w.root, "keys", name) }

func TestEverythingIsThereAfterAReopening(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	id := w.newKey(nil)
	w.must("CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": id})
	k, err := w.GenerateDataKey(ctx, "alias/x", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.Own().GenerateDataKey(ctx, "whatever", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.reopen()
	got, err := w.Decrypt(ctx, k.KeyARN, k.Blob, map[string]string{"a": "b"})
	if err != nil || !bytes.Equal(got, k.Plaintext) || len(got) != 32 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := w.Own().Decrypt(ctx, "", own.Blob, nil); err != nil || !bytes.Equal(got, own.Plaintext) {
		t.Errorf("own: %v", err)
	}
	if got := w.metadata("alias/x")["KeyId"]; got != id {
		t.Error(got)
	}
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	w := newWorld(t)
	w.newKey(nil)
	w.must("CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": w.newKey(nil)})
	if info, err := os.Stat(w.file("")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(w.file(""))
	if err != nil || len(entries) != 5 {
		t.Errorf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestTheOwnKeyIsOutOfReach(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	k, err := w.Own().GenerateDataKey(ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.must("ListKeys", nil)["Keys"].([]any); len(got) != 0 {
		t.Error(got)
	}
	w.refused(notFound, "DescribeKey", fields{"KeyId": k.KeyARN})
	w.refused(notFound, "ScheduleKeyDeletion", fields{"KeyId": k.KeyARN})
	w.refused(notFound, "Decrypt", fields{"CiphertextBlob": b64(string(k.Blob))})
	other, err := w.GenerateDataKey(ctx, w.newKey(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Own().Decrypt(ctx, "", other.Blob, nil); !errors.Is(err, ErrWrongKey) {
		t.Error(err)
	}
	if _, err := w.Own().Decrypt(ctx, "", k.Blob, map[string]string{"a": "b"}); !errors.Is(err, ErrCiphertext) {
		t.Error(err)
	}
}

func TestOtherRoomsLearnForSureThatAKeyCannotBeUsed(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	id := w.newKey(nil)
	k, err := w.GenerateDataKey(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(code string) {
		t.Helper()
		_, first := w.GenerateDataKey(ctx, id, nil)
		_, second := w.Decrypt(ctx, id, k.Blob, nil)
		for _, err := range []error{first, second} {
			var e *record.KeyError
			if !errors.As(err, &e) || e.Code != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
	}
	w.must("DisableKey", fields{"KeyId": id})
	check(isOff)
	w.must("ScheduleKeyDeletion", fields{"KeyId": id})
	check(invalidState)
	w.pass(30 * day)
	check(notFound)
	if _, err := w.Decrypt(ctx, w.newKey(nil), k.Blob, nil); err == nil {
		t.Error("a blob of a deleted key was opened")
	}
}

func TestDeletionTakesEffectAtItsDate(t *testing.T) {
	for _, reopen := range []bool{false, true} {
		t.Run(fmt.Sprint("reopened ", reopen), func(t *testing.T) {
			w := newWorld(t)
			id := w.newKey(nil)
			w.must("CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": id})
			out := w.must("ScheduleKeyDeletion", fields{"KeyId": "alias/x", "PendingWindowInDays": 7})
			if out["DeletionDate"] != float64(testTime.Add(7*day).Unix()) || out["KeyState"] != "PendingDeletion" || out["KeyId"] != arnStart+"key/"+id {
				t.Error(out)
			}
			w.pass(7*day - 1)
			if m := w.metadata(id); m["KeyState"] != "PendingDeletion" || m["DeletionDate"] != out["DeletionDate"] {
				t.Error(m)
			}
			w.must("CancelKeyDeletion", fields{"KeyId": id})
			if m := w.metadata(id); m["KeyState"] != "Disabled" || m["DeletionDate"] != nil {
				t.Error(m)
			}
			w.must("ScheduleKeyDeletion", fields{"KeyId": id, "PendingWindowInDays": 7})
			w.pass(7 * day)
			if reopen {
				w.reopen()
			}
			w.refused(notFound, "CancelKeyDeletion", fields{"KeyId": id})
			w.refused(notFound, "DescribeKey", fields{"KeyId": "alias/x"})
			if _, err := os.Stat(w.file(id + ".json")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the material is still there: %v", err)
			}
			if keys := w.must("ListKeys", nil)["Keys"].([]any); len(keys) != 0 {
				t.Error(keys)
			}
			if aliases := w.must("ListAliases", nil)["Aliases"].([]any); len(aliases) != 0 {
				t.Error(aliases)
			}
		})
	}
}

func TestAKeyIsGoneAtItsDateEvenIfTheDiskFails(t *testing.T) {
	w := newWorld(t)
	failing := false
	w.disk.Before = func(durable.Step, string) error {
		if failing {
			return errors.New("broken disk")
		}
		return nil
	}
	w.reopen()
	id := w.newKey(nil)
	w.must("ScheduleKeyDeletion", fields{"KeyId": id})
	w.pass(30 * day)
	failing = true
	w.refused(notFound, "DescribeKey", fields{"KeyId": id})
	if keys := w.must("ListKeys", nil)["Keys"].([]any); len(keys) != 0 {
		t.Error(keys)
	}
	w.refused(internal, "CreateKey", nil)
	failing = false
	w.pass(retryDue)
	w.refused(notFound, "DescribeKey", fields{"KeyId": id})
	if _, err := os.Stat(w.file(id + ".json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the deletion was not tried again: %v", err)
	}
}

func TestAChangeThatCannotBeWrittenIsNotMade(t *testing.T) {
	w := newWorld(t)
	var fail durable.Step
	w.disk.Before = func(step durable.Step, _ string) error {
		if step == fail {
			return errors.New("broken disk")
		}
		return nil
	}
	w.reopen()
	id := w.newKey(nil)
	for _, step := range []durable.Step{durable.Create, durable.Write, durable.Sync, durable.Rename} {
		fail = step
		w.refused(internal, "DisableKey", fields{"KeyId": id})
		w.refused(internal, "CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": id})
		fail = ""
		w.reopen()
		if m := w.metadata(id); m["KeyState"] != "Enabled" {
			t.Errorf("%s: %v", step, m)
		}
		w.refused(notFound, "DescribeKey", fields{"KeyId": "alias/x"})
	}
}

func TestADamagedKeyIsUnavailableAndLeftAlone(t *testing.T) {
	w := newWorld(t)
	bad, good := w.newKey(nil), w.newKey(nil)
	blob := w.must("Encrypt", fields{"KeyId": bad, "Plaintext": b64("x")})["CiphertextBlob"]
	file := w.file(bad + ".json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(w.file(good + ".json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"half": whole[:len(whole)/2], "empty": nil, "another key's": other,
		"material of another": bytes.Replace(other, []byte(good), []byte(bad), 1), "no material": []byte(`{"id":"` + bad + `"}`)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		w.reopen()
		_, code, _ := w.call("Decrypt", fields{"CiphertextBlob": blob})
		if code != "KeyUnavailableException" {
			t.Errorf("%s: %s", name, code)
		}
		w.must("Encrypt", fields{"KeyId": good, "Plaintext": b64("x")})
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.must("Decrypt", fields{"CiphertextBlob": blob})
}

func TestKeysWithoutTheirMasterKeyAreNotOpened(t *testing.T) {
	for name, spoil := range map[string]func(w *world) error{
		"missing":     func(w *world) error { return os.Remove(w.file(masterName)) },
		"short":       func(w *world) error { return os.WriteFile(w.file(masterName), make([]byte, 31), 0o600) },
		"another":     func(w *world) error { return os.WriteFile(w.file(masterName), make([]byte, 32), 0o600) },
		"own missing": func(w *world) error { return os.Remove(w.file(ownName)) },
		"own damaged": func(w *world) error { return os.WriteFile(w.file(ownName), nil, 0o600) },
	} {
		w := newWorld(t)
		w.newKey(nil)
		if err := spoil(w); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(w.options()); !errors.Is(err, ErrNoMaster) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMasterKeyThatOthersCanReadIsNotUsed(t *testing.T) {
	w := newWorld(t)
	if err := os.Chmod(w.file(masterName), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(w.options()); !errors.Is(err, ErrExposed) {
		t.Error(err)
	}
}

// TestStartsThatCrashAreRepeated stops the first start after every step.
func TestStartsThatCrashAreRepeated(t *testing.T) {
	for steps := 0; ; steps++ {
		w := &world{t: t, root: t.TempDir(), now: testTime}
		n := 0
		_, err := open(w.options(), durable.Disk{Before: func(durable.Step, string) error {
			if n++; n > steps {
				return errors.New("crash")
			}
			return nil
		}})
		if _, again := Open(w.options()); again != nil {
			t.Errorf("after %d steps: %v", steps, again)
		}
		if err == nil {
			break
		}
	}
}

func TestMaterialIsNeitherLoggedNorPlainOnDisk(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	k, err := w.GenerateDataKey(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.must("ScheduleKeyDeletion", fields{"KeyId": w.newKey(nil)})
	w.pass(30 * day)
	w.must("ListKeys", nil)
	master, err := os.ReadFile(w.file(masterName))
	if err != nil {
		t.Fatal(err)
	}
	g := w.keys[id].Generations[0]
	material, err := w.folder.master.Open(nil, g.Sealed[:nonceSize], g.Sealed[nonceSize:], []byte(id))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(w.file(id + ".json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{master, material, k.Plaintext} {
		for _, form := range []string{string(secret), hex.EncodeToString(secret), b64(string(secret))} {
			if strings.Contains(w.logged(), form) || strings.Contains(string(file), form) {
				t.Error("a secret is in the log or in a file")
			}
		}
	}
}

func TestManyCallersShareTheService(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	w.must("EnableKeyRotation", fields{"KeyId": id, "RotationPeriodInDays": 90})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 8 {
				k, err := w.GenerateDataKey(context.Background(), id, nil)
				if err != nil {
					t.Error(err)
					return
				}
				w.pass(30 * day)
				if got, err := w.Decrypt(context.Background(), id, k.Blob, nil); err != nil || !bytes.Equal(got, k.Plaintext) {
					t.Error(err)
				}
				w.must("TagResource", fields{"KeyId": id, "Tags": []fields{{"TagKey": fmt.Sprint(i, j), "TagValue": ""}}})
				w.must("CreateAlias", fields{"AliasName": fmt.Sprintf("alias/%d-%d", i, j), "TargetKeyId": id})
				w.metadata("alias/aws/kinesis")
				w.must("ListAliases", nil)
			}
		})
	}
	group.Wait()
	w.reopen()
	if n := len(w.must("ListResourceTags", fields{"KeyId": id})["Tags"].([]any)); n != 32 {
		t.Errorf("%d tags, want 32", n)
	}
	if n := len(w.must("ListKeys", nil)["Keys"].([]any)); n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
}
