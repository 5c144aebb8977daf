package kms

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const day = 24 * time.Hour

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestCreateKeyTellsItsMetadata(t *testing.T) {
	w := newWorld(t)
	got := w.must("CreateKey", fields{"Description": "d", "Tags": []fields{{"TagKey": "k", "TagValue": "v"}}})["KeyMetadata"].(fields)
	id := got["KeyId"].(string)
	want := fields{
		"AWSAccountId": "000000000000", "KeyId": id, "Arn": arnStart + "key/" + id, "CreationDate": float64(testTime.Unix()),
		"Enabled": true, "Description": "d", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS",
		"KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
		"EncryptionAlgorithms": []any{"SYMMETRIC_DEFAULT"}, "MultiRegion": false,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, w.metadata(id)); d != "" {
		t.Error(d)
	}
	if id := w.newKey(fields{"MultiRegion": true}); !strings.HasPrefix(id, "mrk-") || !isKeyID(id) {
		t.Errorf("multi-region id %q", id)
	}
}

// TestRequestsAreRefusedInTheWordsOfAWS is a row for each refusal. KEY, OFF and DYING stand
// for keys: enabled, disabled and pending deletion.
func TestRequestsAreRefusedInTheWordsOfAWS(t *testing.T) {
	w := newWorld(t)
	ids := map[string]string{"KEY": w.newKey(nil), "OFF": w.newKey(nil), "DYING": w.newKey(nil), "OTHER": w.newKey(nil)}
	managed := w.metadata("alias/aws/s3")["KeyId"].(string)
	w.must("DisableKey", fields{"KeyId": ids["OFF"]})
	w.must("ScheduleKeyDeletion", fields{"KeyId": ids["DYING"]})
	w.must("CreateAlias", fields{"AliasName": "alias/taken", "TargetKeyId": ids["KEY"]})
	blob := w.must("Encrypt", fields{"KeyId": ids["KEY"], "Plaintext": b64("x"), "EncryptionContext": fields{"a": "b"}})["CiphertextBlob"]
	const none = "00000000-0000-4000-8000-000000000000"
	key := func(name string) string { return ids[name] }
	arn := func(name string) string { return arnStart + "key/" + ids[name] }
	grant := func(change fields) fields {
		in := fields{"KeyId": key("KEY"), "GranteePrincipal": "arn:aws:iam::000000000000:user/u", "Operations": []string{"Decrypt"}}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	for _, c := range []struct {
		operation     string
		in            fields
		code, message string // the message may be a part
	}{
		{"DescribeKey", nil, validation, "1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"DescribeKey", fields{"KeyId": none}, notFound, "Key '" + arnStart + "key/" + none + "' does not exist"},
		{"DescribeKey", fields{"KeyId": "nonsense"}, notFound, "Invalid keyId nonsense"},
		{"DescribeKey", fields{"KeyId": "../../etc/passwd/../../etc/passwd/.."}, notFound, "Invalid keyId"},
		{"DescribeKey", fields{"KeyId": "alias/none"}, notFound, "Alias " + arnStart + "alias/none is not found."},
		{"DescribeKey", fields{"KeyId": "alias/aws/nonsense"}, notFound, "is not found."},
		{"DescribeKey", fields{"KeyId": "arn:aws:kms:eu-west-1:000000000000:key/" + none}, notFound, "Invalid arn"},
		{"DescribeKey", fields{"KeyId": arnStart + "key/alias/taken"}, notFound, "Invalid arn"},
		{"DescribeKey", fields{"KeyId": strings.Repeat("x", 2049)}, validation, "length less than or equal to 2048"},
		{"DescribeKey", fields{"KeyId": 5}, "SerializationException", ""},

		{"CreateKey", fields{"KeySpec": "RSA_2048"}, unsupported, "KeySpec"},
		{"CreateKey", fields{"CustomerMasterKeySpec": "RSA_2048"}, unsupported, "KeySpec"},
		{"CreateKey", fields{"KeyUsage": "SIGN_VERIFY"}, unsupported, "KeyUsage"},
		{"CreateKey", fields{"KeyUsage": "NONSENSE"}, validation, "enum value set"},
		{"CreateKey", fields{"Origin": "EXTERNAL"}, unsupported, "Origin"},
		{"CreateKey", fields{"Description": strings.Repeat("x", 8193)}, validation, "'description'"},
		{"CreateKey", fields{"Policy": "{"}, "MalformedPolicyDocumentException", ""},
		{"CreateKey", fields{"Policy": strings.Repeat("x", maxPolicy+1)}, validation, "'policy'"},
		{"CreateKey", fields{"Tags": []fields{{"TagKey": "aws:x", "TagValue": ""}}}, "TagException", ""},
		{"CreateKey", fields{"Tags": []fields{{"TagKey": ""}}}, validation, "'tags.1.member.tagKey'"},

		{"GenerateDataKey", fields{"KeyId": key("OFF"), "KeySpec": "AES_256"}, isOff, arn("OFF") + " is disabled."},
		{"GenerateDataKey", fields{"KeyId": key("DYING"), "KeySpec": "AES_256"}, invalidState, arn("DYING") + " is pending deletion."},
		{"GenerateDataKey", fields{"KeyId": key("KEY")}, validation, "number of bytes or key spec"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "KeySpec": "AES_256", "NumberOfBytes": 1}, validation, "number of bytes or key spec"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "NumberOfBytes": 1025}, validation, "'numberOfBytes'"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "NumberOfBytes": 0}, validation, "'numberOfBytes'"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "KeySpec": "AES_512"}, validation, "[AES_256, AES_128]"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "KeySpec": "AES_256", "DryRun": true}, "DryRunOperationException", "would have succeeded"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "KeySpec": "AES_256", "GrantTokens": make([]string, 11)}, validation, "'grantTokens'"},
		{"GenerateDataKey", fields{"KeyId": key("KEY"), "KeySpec": "AES_256", "EncryptionContext": fields{"k": strings.Repeat("x", maxContext)}}, validation, "'encryptionContext'"},
		{"GenerateDataKeyWithoutPlaintext", fields{"KeyId": key("OFF"), "KeySpec": "AES_256"}, isOff, ""},
		{"Encrypt", fields{"KeyId": key("OFF"), "Plaintext": b64("x")}, isOff, ""},
		{"Encrypt", fields{"KeyId": key("KEY")}, validation, "Value at 'plaintext' failed to satisfy constraint: Member must not be null"},
		{"Encrypt", fields{"KeyId": key("KEY"), "Plaintext": ""}, validation, "greater than or equal to 1"},
		{"Encrypt", fields{"KeyId": key("KEY"), "Plaintext": b64(strings.Repeat("x", 4097))}, validation, "less than or equal to 4096"},
		{"Encrypt", fields{"KeyId": key("KEY"), "Plaintext": "!"}, "SerializationException", ""},
		{"Encrypt", fields{"KeyId": key("KEY"), "Plaintext": b64("x"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "InvalidKeyUsageException", ""},
		{"Decrypt", nil, validation, "'ciphertextBlob'"},
		{"Decrypt", fields{"CiphertextBlob": b64("x")}, "InvalidCiphertextException", ""},
		{"Decrypt", fields{"CiphertextBlob": b64(strings.Repeat("x", 6145))}, validation, "6144"},
		{"Decrypt", fields{"CiphertextBlob": blob}, "InvalidCiphertextException", ""},
		{"Decrypt", fields{"CiphertextBlob": blob, "EncryptionContext": fields{"a": "c"}}, "InvalidCiphertextException", ""},
		{"Decrypt", fields{"CiphertextBlob": blob, "EncryptionContext": fields{"a": "b"}, "KeyId": key("OTHER")}, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."},
		{"Decrypt", fields{"CiphertextBlob": blob, "EncryptionContext": fields{"a": "b"}, "KeyId": "alias/none"}, notFound, ""},
		{"ReEncrypt", fields{"CiphertextBlob": blob, "SourceEncryptionContext": fields{"a": "b"}}, validation, "'destinationKeyId'"},
		{"ReEncrypt", fields{"CiphertextBlob": blob, "DestinationKeyId": key("OTHER")}, "InvalidCiphertextException", ""},
		{"ReEncrypt", fields{"CiphertextBlob": blob, "SourceEncryptionContext": fields{"a": "b"}, "DestinationKeyId": key("OFF")}, isOff, ""},
		{"GenerateRandom", nil, validation, "NumberOfBytes"},
		{"GenerateRandom", fields{"NumberOfBytes": 1025}, validation, "1024"},

		{"CreateAlias", fields{"AliasName": "alias/taken", "TargetKeyId": key("OTHER")}, "AlreadyExistsException", "An alias with the name " + arnStart + "alias/taken already exists"},
		{"CreateAlias", fields{"AliasName": "nothing", "TargetKeyId": key("KEY")}, validation, "Invalid identifier"},
		{"CreateAlias", fields{"AliasName": "alias/", "TargetKeyId": key("KEY")}, validation, "Invalid identifier"},
		{"CreateAlias", fields{"AliasName": "alias/a:b", "TargetKeyId": key("KEY")}, validation, "invalid characters"},
		{"CreateAlias", fields{"AliasName": "alias/a b", "TargetKeyId": key("KEY")}, validation, "regular expression pattern: ^[a-zA-Z0-9:/_-]+$"},
		{"CreateAlias", fields{"AliasName": "alias/aws/x", "TargetKeyId": key("KEY")}, "NotAuthorizedException", ""},
		{"CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": none}, notFound, ""},
		{"CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": key("DYING")}, invalidState, ""},
		{"CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": managed}, "NotAuthorizedException", ""},
		{"UpdateAlias", fields{"AliasName": "alias/none", "TargetKeyId": key("KEY")}, notFound, "Alias " + arnStart + "alias/none is not found."},
		{"DeleteAlias", fields{"AliasName": "alias/none"}, notFound, "Alias " + arnStart + "alias/none is not found."},
		{"DeleteAlias", fields{"AliasName": "alias/aws/s3"}, "NotAuthorizedException", ""},
		{"ListAliases", fields{"Limit": 101}, validation, "'limit'"},
		{"ListAliases", fields{"KeyId": none}, notFound, ""},
		{"ListKeys", fields{"Limit": 0}, validation, "'limit'"},
		{"ListKeys", fields{"Marker": "!"}, "InvalidMarkerException", ""},

		{"EnableKey", fields{"KeyId": key("DYING")}, invalidState, ""},
		{"DisableKey", fields{"KeyId": key("DYING")}, invalidState, ""},
		{"DisableKey", fields{"KeyId": managed}, "AccessDeniedException", ""},
		{"ScheduleKeyDeletion", fields{"KeyId": key("DYING")}, invalidState, ""},
		{"ScheduleKeyDeletion", fields{"KeyId": managed}, "AccessDeniedException", ""},
		{"ScheduleKeyDeletion", fields{"KeyId": key("KEY"), "PendingWindowInDays": 6}, validation, "'pendingWindowInDays'"},
		{"CancelKeyDeletion", fields{"KeyId": key("KEY")}, invalidState, "is not pending deletion."},

		{"CreateGrant", grant(fields{"KeyId": key("OFF")}), isOff, ""},
		{"CreateGrant", grant(fields{"KeyId": key("DYING")}), invalidState, ""},
		{"CreateGrant", grant(fields{"Operations": []string{"Fly"}}), validation, "'operations'"},
		{"CreateGrant", grant(fields{"Operations": nil}), validation, "'operations'"},
		{"CreateGrant", grant(fields{"GranteePrincipal": ""}), validation, "'granteePrincipal'"},
		{"CreateGrant", grant(fields{"DryRun": true}), "DryRunOperationException", ""},
		{"RevokeGrant", fields{"KeyId": key("KEY"), "GrantId": "none"}, notFound, "none"},
		{"RetireGrant", fields{"GrantToken": "!"}, "InvalidGrantTokenException", ""},
		{"ListGrants", fields{"KeyId": none}, notFound, ""},

		{"GetKeyPolicy", fields{"KeyId": key("KEY"), "PolicyName": "other"}, notFound, "No such policy exists"},
		{"PutKeyPolicy", fields{"KeyId": key("KEY"), "Policy": "[]"}, "MalformedPolicyDocumentException", ""},
		{"PutKeyPolicy", fields{"KeyId": key("KEY")}, validation, "'policy'"},
		{"TagResource", fields{"KeyId": key("KEY")}, validation, "'tags'"},
		{"TagResource", fields{"KeyId": key("DYING"), "Tags": []fields{}}, invalidState, ""},
		{"UntagResource", fields{"KeyId": key("KEY"), "TagKeys": []string{""}}, validation, "'tagKeys.1.member'"},
		{"TagResource", fields{"KeyId": key("KEY"), "Tags": make([]fields, 201)}, validation, "Value at 'tags'"},
		{"UntagResource", fields{"KeyId": key("KEY"), "TagKeys": make([]string, 201)}, validation, "Value at 'tagKeys'"},
		{"ListResourceTags", fields{"KeyId": none}, notFound, ""},
		{"EnableKeyRotation", fields{"KeyId": key("OFF")}, isOff, ""},
		{"EnableKeyRotation", fields{"KeyId": key("KEY"), "RotationPeriodInDays": 89}, validation, "'rotationPeriodInDays'"},
		{"DisableKeyRotation", fields{"KeyId": key("DYING")}, invalidState, ""},
		{"GetKeyRotationStatus", fields{"KeyId": key("DYING")}, invalidState, ""},
		{"ReplicateKey", fields{}, "UnknownOperationException", ""},
	} {
		message := w.refused(c.code, c.operation, c.in)
		if !strings.Contains(message, c.message) {
			t.Errorf("%s %v: message %q, want %q", c.operation, c.in, message, c.message)
		}
	}
}

func TestWhatWasEncryptedIsDecryptedUnderEveryNameOfTheKey(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	w.must("CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": id})
	names := []string{id, arnStart + "key/" + id, "alias/x", arnStart + "alias/x"}
	for _, name := range names {
		context := fields{"a": "1", "b": "2"}
		e := w.must("Encrypt", fields{"KeyId": name, "Plaintext": b64("secret"), "EncryptionContext": context})
		for _, other := range append(names, "") {
			d := w.must("Decrypt", fields{"CiphertextBlob": e["CiphertextBlob"], "EncryptionContext": context, "KeyId": other})
			want := fields{"KeyId": arnStart + "key/" + id, "Plaintext": b64("secret"), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
			if diff := cmp.Diff(want, d); diff != "" {
				t.Errorf("%s, %s: %s", name, other, diff)
			}
		}
	}
}

func TestDataKeysHaveTheSizeThatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	for _, c := range []struct {
		in   fields
		size int
	}{
		{fields{"KeySpec": "AES_256"}, 32}, {fields{"KeySpec": "AES_128"}, 16}, {fields{"NumberOfBytes": 1024}, 1024},
	} {
		c.in["KeyId"] = id
		out := w.must("GenerateDataKey", c.in)
		plaintext, err := base64.StdEncoding.DecodeString(out["Plaintext"].(string))
		if err != nil || len(plaintext) != c.size || out["KeyId"] != arnStart+"key/"+id {
			t.Errorf("%v: %v, %v", c.in, out, err)
		}
		if d := w.must("Decrypt", fields{"CiphertextBlob": out["CiphertextBlob"]}); d["Plaintext"] != out["Plaintext"] {
			t.Errorf("%v: the blob holds another key", c.in)
		}
		bare := w.must("GenerateDataKeyWithoutPlaintext", c.in)
		if _, ok := bare["Plaintext"]; ok || bare["CiphertextBlob"] == nil {
			t.Errorf("%v: %v", c.in, bare)
		}
	}
	if got := len(w.must("GenerateRandom", fields{"NumberOfBytes": 33})["Plaintext"].(string)); got != 44 {
		t.Errorf("33 random bytes take %d characters", got)
	}
}

func TestReEncryptMovesAPlaintextToAnotherKey(t *testing.T) {
	w := newWorld(t)
	from, to := w.newKey(nil), w.newKey(nil)
	e := w.must("Encrypt", fields{"KeyId": from, "Plaintext": b64("secret"), "EncryptionContext": fields{"a": "1"}})
	w.asked = nil
	r := w.must("ReEncrypt", fields{"CiphertextBlob": e["CiphertextBlob"], "SourceEncryptionContext": fields{"a": "1"},
		"DestinationKeyId": to, "DestinationEncryptionContext": fields{"b": "2"}})
	if r["SourceKeyId"] != arnStart+"key/"+from || r["KeyId"] != arnStart+"key/"+to {
		t.Error(r)
	}
	if d := cmp.Diff([]string{"kms:ReEncryptFrom " + arnStart + "key/" + from, "kms:ReEncryptTo " + arnStart + "key/" + to}, w.asked); d != "" {
		t.Error(d)
	}
	d := w.must("Decrypt", fields{"CiphertextBlob": r["CiphertextBlob"], "EncryptionContext": fields{"b": "2"}, "KeyId": to})
	if d["Plaintext"] != b64("secret") {
		t.Error(d)
	}
}

func TestCallersWithoutPermissionLearnNothing(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	w.denied = "kms:Decrypt"
	blob := w.must("Encrypt", fields{"KeyId": id, "Plaintext": b64("x")})["CiphertextBlob"]
	for _, in := range []fields{
		{"CiphertextBlob": blob}, {"CiphertextBlob": b64("nonsense")}, {"CiphertextBlob": blob, "KeyId": "alias/none"}, {},
	} {
		w.refused("AccessDeniedException", "Decrypt", in)
	}
	w.denied = "kms:DescribeKey"
	for _, name := range []string{id, "alias/none", "nonsense", ""} {
		w.refused("AccessDeniedException", "DescribeKey", fields{"KeyId": name})
	}
	w.asked, w.denied = nil, ""
	w.must("CreateAlias", fields{"AliasName": "alias/x", "TargetKeyId": id})
	w.must("DeleteAlias", fields{"AliasName": "alias/x"})
	want := []string{
		"kms:CreateAlias " + arnStart + "alias/x", "kms:CreateAlias " + arnStart + "key/" + id,
		"kms:DeleteAlias " + arnStart + "alias/x", "kms:DeleteAlias " + arnStart + "key/" + id,
	}
	if d := cmp.Diff(want, w.asked); d != "" {
		t.Error(d)
	}
}

func TestAliasesMoveAndEnd(t *testing.T) {
	w := newWorld(t)
	first, second := w.newKey(nil), w.newKey(nil)
	w.must("CreateAlias", fields{"AliasName": "alias/a/b", "TargetKeyId": first})
	w.pass(time.Hour)
	w.must("UpdateAlias", fields{"AliasName": "alias/a/b", "TargetKeyId": arnStart + "key/" + second})
	if got := w.metadata("alias/a/b")["KeyId"]; got != second {
		t.Errorf("the alias names %v", got)
	}
	want := fields{"Truncated": false, "Aliases": []any{fields{
		"AliasName": "alias/a/b", "AliasArn": arnStart + "alias/a/b", "TargetKeyId": second,
		"CreationDate": float64(testTime.Unix()), "LastUpdatedDate": float64(testTime.Unix() + 3600),
	}}}
	for _, in := range []fields{nil, {"KeyId": second}} {
		if d := cmp.Diff(want, w.must("ListAliases", in)); d != "" {
			t.Error(d)
		}
	}
	if got := w.must("ListAliases", fields{"KeyId": first})["Aliases"].([]any); len(got) != 0 {
		t.Error(got)
	}
	w.must("DeleteAlias", fields{"AliasName": "alias/a/b"})
	w.refused(notFound, "DescribeKey", fields{"KeyId": "alias/a/b"})
	for i := range maxAliases {
		w.must("CreateAlias", fields{"AliasName": fmt.Sprint("alias/", i), "TargetKeyId": first})
	}
	w.refused(limitExceeded, "CreateAlias", fields{"AliasName": "alias/more", "TargetKeyId": first})
}

func TestManagedKeysAreMadeAtTheirFirstUse(t *testing.T) {
	w := newWorld(t)
	m := w.metadata("alias/aws/s3")
	if m["KeyManager"] != "AWS" {
		t.Error(m)
	}
	w.must("GenerateDataKey", fields{"KeyId": arnStart + "alias/aws/s3", "KeySpec": "AES_256"})
	w.reopen()
	if again := w.metadata("alias/aws/s3"); again["KeyId"] != m["KeyId"] {
		t.Error("there are two managed keys")
	}
	aliases := w.must("ListAliases", nil)["Aliases"].([]any)
	if len(aliases) != 1 || aliases[0].(fields)["AliasName"] != "alias/aws/s3" {
		t.Error(aliases)
	}
}

func TestListsContinueBehindTheMarker(t *testing.T) {
	w := newWorld(t)
	want := map[string]bool{}
	for range 7 {
		want[w.newKey(nil)] = true
	}
	got, marker := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		in := fields{"Limit": 3}
		if marker != "" {
			in["Marker"] = marker
		}
		out := w.must("ListKeys", in)
		for _, k := range out["Keys"].([]any) {
			id := k.(fields)["KeyId"].(string)
			if got[id] || k.(fields)["KeyArn"] != arnStart+"key/"+id {
				t.Error(k)
			}
			got[id] = true
		}
		if out["Truncated"] == false {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		marker = out["NextMarker"].(string)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDisabledKeysComeBack(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	w.must("DisableKey", fields{"KeyId": id})
	if m := w.metadata(id); m["Enabled"] != false || m["KeyState"] != "Disabled" {
		t.Error(m)
	}
	w.must("EnableKey", fields{"KeyId": id})
	w.must("Encrypt", fields{"KeyId": id, "Plaintext": b64("x")})
}

func TestGrantsAreKept(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	in := fields{"KeyId": id, "GranteePrincipal": "arn:aws:iam::000000000000:role/r", "Operations": []string{"Encrypt", "Decrypt"},
		"Constraints": fields{"EncryptionContextSubset": fields{"a": "b"}}, "Name": "n", "RetiringPrincipal": "arn:aws:iam::000000000000:role/q"}
	g := w.must("CreateGrant", in)
	if d := cmp.Diff(g, w.must("CreateGrant", in)); d != "" {
		t.Errorf("the same grant again is another one: %s", d)
	}
	delete(in, "Name")
	unnamed := w.must("CreateGrant", in)
	w.reopen()
	want := fields{"Truncated": false, "Grants": []any{fields{
		"KeyId": arnStart + "key/" + id, "GrantId": g["GrantId"], "Name": "n", "CreationDate": float64(testTime.Unix()),
		"GranteePrincipal": in["GranteePrincipal"], "RetiringPrincipal": in["RetiringPrincipal"],
		"IssuingAccount": "arn:aws:iam::000000000000:root", "Operations": []any{"Decrypt", "Encrypt"}, "Constraints": in["Constraints"],
	}}}
	if d := cmp.Diff(want, w.must("ListGrants", fields{"KeyId": id, "GrantId": g["GrantId"]})); d != "" {
		t.Error(d)
	}
	w.must("RetireGrant", fields{"GrantToken": g["GrantToken"]})
	w.must("RevokeGrant", fields{"KeyId": id, "GrantId": unnamed["GrantId"]})
	if got := w.must("ListGrants", fields{"KeyId": id})["Grants"].([]any); len(got) != 0 {
		t.Error(got)
	}
}

func TestPoliciesAreKept(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	p := w.must("GetKeyPolicy", fields{"KeyId": id, "PolicyName": "default"})
	if !strings.Contains(p["Policy"].(string), `"AWS" : "arn:aws:iam::000000000000:root"`) || judgePolicy(p["Policy"].(string)) != nil {
		t.Error(p)
	}
	w.must("PutKeyPolicy", fields{"KeyId": id, "Policy": `{"Version":"2012-10-17"}`})
	w.reopen()
	if got := w.must("GetKeyPolicy", fields{"KeyId": id})["Policy"]; got != `{"Version":"2012-10-17"}` {
		t.Error(got)
	}
}

func TestTagsAreKept(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(fields{"Tags": []fields{{"TagKey": "b", "TagValue": "1"}}})
	w.must("TagResource", fields{"KeyId": id, "Tags": []fields{{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "2"}, {"TagKey": "c", "TagValue": "3"}}})
	w.must("UntagResource", fields{"KeyId": id, "TagKeys": []string{"c", "unknown"}})
	w.reopen()
	want := fields{"Truncated": false, "Tags": []any{fields{"TagKey": "a", "TagValue": ""}, fields{"TagKey": "b", "TagValue": "2"}}}
	if d := cmp.Diff(want, w.must("ListResourceTags", fields{"KeyId": id})); d != "" {
		t.Error(d)
	}
	tags := []fields{}
	for i := range maxTags {
		tags = append(tags, fields{"TagKey": fmt.Sprint(i), "TagValue": ""})
	}
	w.refused(limitExceeded, "TagResource", fields{"KeyId": id, "Tags": tags})
	if d := cmp.Diff(want, w.must("ListResourceTags", fields{"KeyId": id})); d != "" {
		t.Error(d)
	}
}

func TestKeysRotateWhenTheirTimeComes(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	if d := cmp.Diff(fields{"KeyId": arnStart + "key/" + id, "KeyRotationEnabled": false}, w.must("GetKeyRotationStatus", fields{"KeyId": id})); d != "" {
		t.Error(d)
	}
	w.must("EnableKeyRotation", fields{"KeyId": id, "RotationPeriodInDays": 90})
	old := w.must("Encrypt", fields{"KeyId": id, "Plaintext": b64("old")})["CiphertextBlob"].(string)
	w.pass(200 * day)
	fresh := w.must("Encrypt", fields{"KeyId": id, "Plaintext": b64("new")})["CiphertextBlob"].(string)
	w.reopen()
	for i, c := range []struct{ blob, want string }{{old, "old"}, {fresh, "new"}} {
		text, _ := base64.StdEncoding.DecodeString(c.blob)
		if b, err := parseBlob(text); err != nil || b.generation != uint32(i) {
			t.Errorf("%s: generation %d, %v", c.want, b.generation, err)
		}
		if got := w.must("Decrypt", fields{"CiphertextBlob": c.blob})["Plaintext"]; got != b64(c.want) {
			t.Errorf("%s: %v", c.want, got)
		}
	}
	status := w.must("GetKeyRotationStatus", fields{"KeyId": id})
	if status["NextRotationDate"] != float64(testTime.Add(290*day).Unix()) || status["RotationPeriodInDays"] != 90.0 {
		t.Error(status)
	}
	w.must("DisableKeyRotation", fields{"KeyId": id})
	if status := w.must("GetKeyRotationStatus", fields{"KeyId": id}); status["KeyRotationEnabled"] != false {
		t.Error(status)
	}
}

func TestKeysHoldOnlySoMuchText(t *testing.T) {
	w := newWorld(t)
	id := w.newKey(nil)
	in := fields{"KeyId": id, "GranteePrincipal": "u", "Operations": []string{"Decrypt"},
		"Constraints": fields{"EncryptionContextEquals": fields{"k": strings.Repeat("x", maxContext-1)}}}
	for range maxWeight / (maxContext + 100) {
		w.must("CreateGrant", in)
	}
	w.refused(limitExceeded, "CreateGrant", in)
	w.must("DisableKey", fields{"KeyId": id})
}
