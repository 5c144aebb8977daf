package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEachOperationRefusesWhatItMust(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.ask("CreateLogGroup", fields{"logGroupName": "kept", "deletionProtectionEnabled": true})
	long := strings.Repeat("x", 513)
	g := fields{"logGroupName": "none"}
	gs := fields{"logGroupName": "g", "logStreamName": "none"}
	event := func(at int64, message string) fields { return fields{"timestamp": at, "message": message} }
	put := func(events ...fields) fields {
		return fields{"logGroupName": "g", "logStreamName": "s", "logEvents": events}
	}
	get := func(more fields) fields {
		in := fields{"logGroupName": "g", "logStreamName": "s"}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	const noGroup, noStream = "The specified log group does not exist.", "The specified log stream does not exist."
	for _, tt := range []struct {
		operation  string
		in         fields
		code, text string
	}{
		{"CreateLogGroup", fields{"logGroupName": "g"}, exists, "The specified log group already exists"},
		{"CreateLogGroup", fields{}, invalid, "1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must not be null"},
		{"CreateLogGroup", fields{"logGroupName": "a b"}, invalid, "regular expression"},
		{"CreateLogGroup", fields{"logGroupName": long}, invalid, "less than or equal to 512"},
		{"CreateLogGroup", fields{"logGroupName": "n", "logGroupClass": "BEST"}, invalid, "enum value set"},
		{"CreateLogGroup", fields{"logGroupName": 1}, "SerializationException", ""},
		{"DeleteLogGroup", g, notFound, noGroup},
		{"DeleteLogGroup", fields{"logGroupName": "kept"}, validation, "deletion protection"},
		{"PutLogGroupDeletionProtection", fields{"logGroupIdentifier": "none", "deletionProtectionEnabled": true}, notFound, noGroup},
		{"PutLogGroupDeletionProtection", fields{"logGroupIdentifier": "g"}, invalid, "deletionProtectionEnabled"},
		{"CreateLogStream", fields{"logGroupName": "none", "logStreamName": "s"}, notFound, noGroup},
		{"CreateLogStream", fields{"logGroupName": "g", "logStreamName": "s"}, exists, "The specified log stream already exists"},
		{"CreateLogStream", fields{"logGroupName": "g", "logStreamName": "a:b"}, invalid, "'logStreamName'"},
		{"CreateLogStream", fields{"logGroupName": "g", "logStreamName": "a*"}, invalid, "'logStreamName'"},
		{"DeleteLogStream", gs, notFound, noStream},
		{"PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": 2}, invalid, "[1, 3, 5, 7"},
		{"PutRetentionPolicy", fields{"logGroupName": "g"}, invalid, "'retentionInDays'"},
		{"PutRetentionPolicy", fields{"logGroupName": "none", "retentionInDays": 1}, notFound, noGroup},
		{"DeleteRetentionPolicy", g, notFound, noGroup},
		{"DescribeLogGroups", fields{"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}, invalid, "Only one"},
		{"DescribeLogGroups", fields{"limit": 51}, invalid, "less than or equal to 50"},
		{"DescribeLogGroups", fields{"limit": 0}, invalid, "greater than or equal to 1"},
		{"DescribeLogGroups", fields{"nextToken": "%"}, invalid, "nextToken"},
		{"DescribeLogStreams", g, notFound, noGroup},
		{"DescribeLogStreams", fields{}, invalid, "Either"},
		{"DescribeLogStreams", fields{"logGroupName": "g", "logGroupIdentifier": "g"}, invalid, "Only one"},
		{"DescribeLogStreams", fields{"logGroupName": "g", "logStreamNamePrefix": "s", "orderBy": byTime}, invalid, "LastEventTime"},
		{"PutLogEvents", fields{"logGroupName": "none", "logStreamName": "s", "logEvents": []fields{event(millis, "m")}}, notFound, noGroup},
		{"PutLogEvents", fields{"logGroupName": "g", "logStreamName": "none", "logEvents": []fields{event(millis, "m")}}, notFound, noStream},
		{"PutLogEvents", put(), invalid, "'logEvents'"},
		{"PutLogEvents", fields{"logGroupName": "g", "logStreamName": "s"}, invalid, "'logEvents' failed to satisfy constraint: Member must not be null"},
		{"PutLogEvents", put(fields{"message": "m"}), invalid, "'logEvents.1.member.timestamp'"},
		{"PutLogEvents", put(event(1, "m"), fields{"timestamp": 1}), invalid, "'logEvents.2.member.message'"},
		{"PutLogEvents", put(event(millis, "")), invalid, "'logEvents.1.member.message'"},
		{"PutLogEvents", put(event(-1, "m")), invalid, "'logEvents.1.member.timestamp'"},
		{"PutLogEvents", put(event(millis, "a"), event(millis-1, "b")), invalid, "Log events in a single PutLogEvents request must be in chronological order."},
		{"PutLogEvents", put(event(millis-25*hourMillis, "a"), event(millis, "b")), invalid, "cannot span more than 24 hours."},
		{"PutLogEvents", put(event(millis, strings.Repeat("x", maxMessage+1))), invalid, "Log event too large: 1048577 bytes exceeds limit of 1048576"},
		{"PutLogEvents", put(event(millis, "a"), event(millis, strings.Repeat("x", maxMessage))), invalid, "Upload too large: 1048603 bytes exceeds limit of 1048576"},
		{"PutLogEvents", put(slices.Repeat([]fields{event(millis, "x")}, mostEvents+1)...), invalid, "less than or equal to 10000"},
		{"PutLogEvents", fields{"logEvents": "x"}, "SerializationException", ""},
		{"GetLogEvents", gs, notFound, noStream},
		{"GetLogEvents", get(fields{"limit": 10_001}), invalid, "10000"},
		{"GetLogEvents", get(fields{"startTime": -1}), invalid, "'startTime'"},
		{"GetLogEvents", get(fields{"nextToken": "f/1/s"}), invalid, "nextToken"},
		{"GetLogEvents", get(fields{"nextToken": "x/" + at(0).String() + "/s"}), invalid, "nextToken"},
		{"TagLogGroup", fields{"logGroupName": "none", "tags": fields{"a": "b"}}, notFound, noGroup},
		{"TagLogGroup", fields{"logGroupName": "g", "tags": fields{}}, invalid, "'tags'"},
		{"TagLogGroup", fields{"logGroupName": "g", "tags": fields{"aws:x": "b"}}, invalid, "reserved"},
		{"UntagLogGroup", fields{"logGroupName": "g"}, invalid, "'tags'"},
		{"ListTagsLogGroup", g, notFound, noGroup},
		{"TagResource", fields{"resourceArn": arnStart + "none", "tags": fields{"a": "b"}}, notFound, noGroup},
		{"TagResource", fields{"resourceArn": "g", "tags": fields{"a": "b"}}, invalid, "'resourceArn'"},
		{"UntagResource", fields{"resourceArn": arnStart + "none", "tagKeys": []string{"a"}}, notFound, noGroup},
		{"ListTagsForResource", fields{"resourceArn": "arn:aws:logs:eu-west-1:000000000000:log-group:g"}, notFound, noGroup},
	} {
		w.refuse(tt.operation, tt.in, tt.code, tt.text)
	}
}

func TestPermissionIsAskedBeforeAnythingIsTold(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		operation string
		in        fields
		resource  string
	}{
		{"DeleteLogGroup", fields{"logGroupName": "g"}, arnStart + "g:log-stream:"},
		{"PutLogEvents", fields{"logGroupName": "g", "logStreamName": "s"}, arnStart + "g:log-stream:s"},
		{"GetLogEvents", fields{"logGroupIdentifier": arnStart + "g", "logStreamName": "s"}, arnStart + "g:log-stream:s"},
		{"DescribeLogStreams", fields{"logGroupIdentifier": "g"}, arnStart + "g:log-stream:"},
		{"DescribeLogGroups", fields{}, arnStart + ":log-stream:"},
		{"TagResource", fields{"resourceArn": arnStart + "g:*"}, arnStart + "g"},
	} {
		w.denied, w.asked = "logs:"+tt.operation, nil
		w.refuse(tt.operation, tt.in, "AccessDeniedException", "logs:"+tt.operation)
		if want := []string{w.denied + " " + tt.resource}; !slices.Equal(w.asked, want) {
			t.Errorf("asked %q, want %q", w.asked, want)
		}
	}
}

func TestGroupsAreDescribed(t *testing.T) {
	w := newWorld(t)
	w.ask("CreateLogGroup", fields{"logGroupName": "/app/a", "kmsKeyId": "k", "tags": fields{"t": "1"}})
	w.ask("CreateLogStream", fields{"logGroupName": "/app/a", "logStreamName": "s"})
	w.say("/app/a", "s", millis, "hello", "wörld")
	w.ask("PutRetentionPolicy", fields{"logGroupName": "/app/a", "retentionInDays": 30})
	for range 2 {
		var out describeGroupsOutput
		w.into(&out, "DescribeLogGroups", fields{})
		want := groupOutput{
			Name: "/app/a", Created: millis, Retention: 30, ARN: arnStart + "/app/a:*", GroupARN: arnStart + "/app/a",
			Stored: 11 + 2*eventWeight, KeyID: "k", Class: standard,
		}
		if len(out.Groups) != 1 || out.Groups[0] != want || out.Next != "" {
			t.Errorf("got %+v", out)
		}
		w.reopen()
	}
	w.ask("DeleteRetentionPolicy", fields{"logGroupName": "/app/a"})
	if out := w.ask("DescribeLogGroups", fields{})["logGroups"].([]any)[0].(fields); out["retentionInDays"] != nil {
		t.Errorf("retention is left: %v", out)
	}
}

func TestListsAreWalkedPageByPage(t *testing.T) {
	w := newWorld(t)
	var all []string
	for i := range 7 {
		name := fmt.Sprintf("app%d", i)
		all = append(all, name)
		w.make(name)
		w.ask("CreateLogStream", fields{"logGroupName": "app0", "logStreamName": name})
		w.say("app0", name, millis-int64(i), "m")
	}
	w.make("other")
	for _, tt := range []struct {
		operation, list, member string
		in                      fields
		want                    []string
	}{
		{"DescribeLogGroups", "logGroups", "logGroupName", fields{"logGroupNamePrefix": "app"}, all},
		{"DescribeLogGroups", "logGroups", "logGroupName", fields{"logGroupNamePattern": "pp"}, all},
		{"DescribeLogGroups", "logGroups", "logGroupName", fields{"logGroupIdentifiers": []string{"app3", arnStart + "app1"}}, []string{"app1", "app3"}},
		{"DescribeLogGroups", "logGroups", "logGroupName", fields{"logGroupClass": "DELIVERY"}, nil},
		{"DescribeLogStreams", "logStreams", "logStreamName", fields{"logGroupName": "app0"}, all},
		{"DescribeLogStreams", "logStreams", "logStreamName", fields{"logGroupName": "app0", "descending": true}, reversed(all)},
		{"DescribeLogStreams", "logStreams", "logStreamName", fields{"logGroupName": "app0", "orderBy": byTime}, reversed(all)},
		{"DescribeLogStreams", "logStreams", "logStreamName", fields{"logGroupName": "app0", "orderBy": byTime, "descending": true}, all},
		{"DescribeLogStreams", "logStreams", "logStreamName", fields{"logGroupIdentifier": arnStart + "app0", "logStreamNamePrefix": "app6"}, all[6:]},
	} {
		for limit := 1; limit <= 8; limit++ {
			var got []string
			in := fields{"limit": limit}
			for k, v := range tt.in {
				in[k] = v
			}
			for {
				out := w.ask(tt.operation, in)
				items := out[tt.list].([]any)
				if len(items) > limit {
					t.Fatalf("%d items", len(items))
				}
				for _, item := range items {
					got = append(got, item.(fields)[tt.member].(string))
				}
				if out["nextToken"] == nil {
					break
				}
				in["nextToken"] = out["nextToken"]
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s %v: %q", tt.operation, in, got)
			}
		}
	}
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestStreamsAreDescribed(t *testing.T) {
	w := newWorld(t)
	w.make("g", "a", "b")
	w.say("g", "a", millis-10, "one", "two")
	w.pass(time.Second)
	w.say("g", "a", millis-20, "zero")
	for range 2 {
		var out describeStreamsOutput
		w.into(&out, "DescribeLogStreams", fields{"logGroupName": "g"})
		a, b := out.Streams[0], out.Streams[1]
		if *a.First != millis-20 || *a.Last != millis-9 || *a.Ingested != millis+1000 || a.Created != millis ||
			a.ARN != arnStart+"g:log-stream:a" || a.Stored != 10+3*eventWeight || a.Sequence == "" {
			t.Errorf("got %+v", a)
		}
		if b.First != nil || b.Last != nil || b.Ingested != nil || b.Stored != 0 {
			t.Errorf("got %+v", b)
		}
		w.reopen()
	}
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s", "t")
	w.say("g", "s", millis, "m")
	w.ask("DeleteLogStream", fields{"logGroupName": "g", "logStreamName": "s"})
	ctx := context.Background()
	events := []Event{{testTime, "m"}}
	for range 2 {
		if err := w.Put(ctx, "g", "s", events); !errors.Is(err, ErrNoStream) {
			t.Errorf("put into a deleted stream: %v", err)
		}
		w.reopen()
	}
	w.ask("CreateLogStream", fields{"logGroupName": "g", "logStreamName": "s"})
	if got := w.read("g", "s"); len(got) > 0 {
		t.Errorf("a new stream has %q", got)
	}
	w.ask("PutLogGroupDeletionProtection", fields{"logGroupIdentifier": arnStart + "g", "deletionProtectionEnabled": true})
	w.refuse("DeleteLogGroup", fields{"logGroupName": "g"}, validation, "protection")
	w.ask("PutLogGroupDeletionProtection", fields{"logGroupIdentifier": "g", "deletionProtectionEnabled": false})
	w.ask("DeleteLogGroup", fields{"logGroupName": "g"})
	for range 2 {
		if err := w.Put(ctx, "g", "t", events); !errors.Is(err, ErrNoGroup) {
			t.Errorf("put into a deleted group: %v", err)
		}
		w.reopen()
	}
	w.make("g")
	w.refuse("GetLogEvents", fields{"logGroupName": "g", "logStreamName": "t"}, notFound, "stream")
}

func TestTagsAreKept(t *testing.T) {
	w := newWorld(t)
	w.ask("CreateLogGroup", fields{"logGroupName": "g", "tags": fields{"a": "1"}})
	w.ask("TagLogGroup", fields{"logGroupName": "g", "tags": fields{"b": "2", "c": "3"}})
	w.ask("TagResource", fields{"resourceArn": arnStart + "g:*", "tags": fields{"a": "4", "d": "5"}})
	w.ask("UntagLogGroup", fields{"logGroupName": "g", "tags": []string{"b"}})
	w.ask("UntagResource", fields{"resourceArn": arnStart + "g", "tagKeys": []string{"c", "none"}})
	w.reopen()
	for operation, in := range map[string]fields{
		"ListTagsLogGroup": {"logGroupName": "g"}, "ListTagsForResource": {"resourceArn": arnStart + "g"},
	} {
		if got := fmt.Sprint(w.ask(operation, in)["tags"]); got != "map[a:4 d:5]" {
			t.Errorf("%s: %s", operation, got)
		}
	}
	many := fields{}
	for i := range mostTags - 1 {
		many[fmt.Sprint(i)] = ""
	}
	w.refuse("TagLogGroup", fields{"logGroupName": "g", "tags": many}, "TooManyTagsException", "50")
}

func TestEventsOutOfTimeAreDroppedAndReported(t *testing.T) {
	day := dayMillis
	for _, tt := range []struct {
		name      string
		retention int
		times     []int64 // relative to now
		want      string
		kept      int
	}{
		{"all fine", 0, []int64{-14 * day, -13*day - 1}, "", 2},
		{"too old", 0, []int64{-14*day - 2, -14*day - 1, -14 * day}, `{"tooOldLogEventEndIndex":2}`, 1},
		{"too new", 0, []int64{0, 2 * hourMillis, 2*hourMillis + 1}, `{"tooNewLogEventStartIndex":2}`, 2},
		{"expired", 1, []int64{-day - 1, -day}, `{"expiredLogEventEndIndex":1}`, 1},
		{"expired and new", 1, []int64{-20 * hourMillis, 3 * hourMillis}, `{"tooNewLogEventStartIndex":1}`, 1},
		{"all too old", 0, []int64{-15 * day, -15 * day}, `{"tooOldLogEventEndIndex":2}`, 0},
		{"all too new", 0, []int64{3 * hourMillis}, `{"tooNewLogEventStartIndex":0}`, 0},
	} {
		w := newWorld(t)
		w.make("g", "s")
		if tt.retention > 0 {
			w.ask("PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": tt.retention})
		}
		var events []fields
		for _, at := range tt.times {
			events = append(events, fields{"timestamp": millis + at, "message": "m"})
		}
		_, body := w.send("PutLogEvents", fields{"logGroupName": "g", "logStreamName": "s", "logEvents": events, "sequenceToken": "any"})
		if !strings.Contains(body, `"nextSequenceToken"`) || !strings.Contains(body, tt.want) ||
			(tt.want == "") == strings.Contains(body, "rejected") {
			t.Errorf("%s: %s", tt.name, body)
		}
		if got := w.read("g", "s"); len(got) != tt.kept {
			t.Errorf("%s: kept %q", tt.name, got)
		}
	}
}
