package node

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"hydrant/internal/aws"
	"hydrant/internal/config"
	"hydrant/internal/service/glue"
)

// defineClicks makes table web.clicks with two versions.
func defineClicks(t *testing.T, client *aws.Client) {
	t.Helper()
	type m = map[string]any
	define := func(operation, kind string) {
		t.Helper()
		columns := []m{{"Name": "id", "Type": kind}, {"Name": "tags", "Type": "array<string>", "Comment": "words"}}
		if err := client.Call(t.Context(), operation, m{"DatabaseName": "web", "TableInput": m{
			"Name": "Clicks", "PartitionKeys": []m{{"Name": "day", "Type": "string"}}, "StorageDescriptor": m{"Columns": columns},
		}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Call(t.Context(), "CreateDatabase", m{"DatabaseInput": m{"Name": "web"}}, nil); err != nil {
		t.Fatal(err)
	}
	define("CreateTable", "int")
	define("UpdateTable", "bigint")
}

// Streams find the same tables in the node's own catalogue and in one elsewhere.
func TestStreamsFindTheirTablesHereAndElsewhere(t *testing.T) {
	disk := vfs.NewMem()
	keeperConfig := testConfig(t)
	openKeeper := func() *Node {
		n, err := Open(t.Context(), Options{Config: keeperConfig, JournalFS: disk, Version: "test", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	keeper := openKeeper()
	defineClicks(t, clientOf(keeper, "glue", glueTarget))
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	keeper = openKeeper()
	defer keeper.Close()
	root := keeper.credentials.Root()
	c := testConfig(t)
	c.Endpoints = map[string]config.Endpoint{"glue": {URL: "http://localhost", AccessKey: root.AccessKeyID, SecretKey: config.Secret(root.Secret)}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	line := &wire{to: keeper}
	asker, err := Open(t.Context(), Options{Config: c, JournalFS: vfs.NewMem(), RemoteTransport: line, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer asker.Close()
	if asker.glue != nil {
		t.Error("a node that uses another catalogue has one of its own too")
	}
	version := func(id, kind string) *glue.TableVersion {
		return &glue.TableVersion{ID: id, Columns: []glue.Column{{Name: "id", Type: kind}, {Name: "tags", Type: "array<string>", Comment: "words"}}}
	}
	for _, tt := range []struct {
		ref  glue.Ref
		want *glue.TableVersion
		code string
	}{
		{glue.Ref{Database: "web", Table: "clicks"}, version("1", "bigint"), ""},
		{glue.Ref{Database: "web", Table: "clicks", Version: glue.Latest, Region: c.Region, CatalogID: c.Account, RoleARN: "arn:aws:iam::000000000000:role/r"}, version("1", "bigint"), ""},
		{glue.Ref{Database: "web", Table: "clicks", Version: "0"}, version("0", "int"), ""},
		{glue.Ref{Database: "web", Table: "clicks", Version: "2"}, nil, glue.NotFound},
		{glue.Ref{Database: "web", Table: "clicks", Version: "two"}, nil, glue.Invalid},
		{glue.Ref{Database: "web", Table: "nobody"}, nil, glue.NotFound},
		{glue.Ref{Database: "nobody", Table: "clicks"}, nil, glue.NotFound},
		{glue.Ref{Database: "web", Table: "clicks", CatalogID: "123456789012"}, nil, glue.NotFound},
	} {
		for where, tables := range map[string]tables{"here": keeper.tables, "elsewhere": asker.tables} {
			got, err := tables.Table(t.Context(), tt.ref)
			var told *glue.Error
			if tt.code != "" {
				if !errors.As(err, &told) || told.Code != tt.code || told.Message == "" {
					t.Errorf("%s, %+v: %v", where, tt.ref, err)
				}
			} else if d := cmp.Diff(tt.want, got); err != nil || d != "" {
				t.Errorf("%s, %+v: %v %s", where, tt.ref, err, d)
			}
		}
	}
	line.cut.Store(true)
	var told *glue.Error
	if _, err := asker.tables.Table(t.Context(), glue.Ref{Database: "web", Table: "clicks"}); !errors.Is(err, errCut) || errors.As(err, &told) {
		t.Errorf("a catalogue that cannot be reached: %v", err)
	}
}

// What a catalogue elsewhere answers, and what is made of it.
func TestAnswersOfARemoteCatalogueAreToldApart(t *testing.T) {
	status, body := 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // who asked sees what is missing
	}))
	defer server.Close()
	remote := remoteGlue{region: "us-east-1", client: &aws.Client{
		Endpoint: server.URL, Service: "glue", Target: glueTarget, Region: "eu-west-1", Now: time.Now,
		Credentials: func(context.Context) (aws.KeyPair, error) {
			return aws.KeyPair{AccessKeyID: "key", Secret: "secret"}, nil
		},
	}}
	for _, tt := range []struct {
		status int
		body   string
		code   string // of a *glue.Error
		is     error  // of others; nil: of none
	}{
		{400, `{"__type":"com.amazonaws.glue#EntityNotFoundException","Message":"Table t not found."}`, glue.NotFound, nil},
		{400, `{"__type":"AccessDeniedException","Message":"no"}`, glue.Denied, nil},
		{400, `{"__type":"InvalidInputException","Message":"no"}`, glue.Invalid, nil},
		{400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, glue.Throttled, nil},
		{400, `{"__type":"TooManyRequestsException","message":"Rate exceeded"}`, glue.Throttled, nil},
		{500, `{"__type":"InternalServiceException","Message":"sorry"}`, "InternalServiceException", nil},
		{502, `<html>`, "", nil},
		{200, `{}`, "", aws.ErrBadAnswer},
		{200, `{"Table":null}`, "", aws.ErrBadAnswer},
		{200, `nothing`, "", aws.ErrBadAnswer},
	} {
		status, body = tt.status, tt.body
		for _, version := range []string{"", "3"} {
			_, err := remote.Table(t.Context(), glue.Ref{Database: "d", Table: "t", Version: version})
			var told *glue.Error
			switch {
			case err == nil, errors.As(err, &told) != (tt.code != ""), told != nil && told.Code != tt.code, tt.is != nil && !errors.Is(err, tt.is):
				t.Errorf("%d %s: %v", tt.status, tt.body, err)
			}
		}
	}
	status, body = 200, `{"Table":{"Name":"t","VersionId":"9","StorageDescriptor":{"Columns":[{"Name":"a","Type":"int"}],"New":1},"Status":{"x":1}}}`
	for _, region := range []string{"", "eu-west-1", "us-east-1"} {
		got, err := remote.Table(t.Context(), glue.Ref{Database: "d", Table: "t", Region: region})
		if err != nil || got.ID != "9" || len(got.Columns) != 1 {
			t.Errorf("%v %v", got, err)
		}
	}
	var told *glue.Error
	if _, err := remote.Table(t.Context(), glue.Ref{Database: "d", Table: "t", Region: "sa-east-1"}); !errors.As(err, &told) || told.Code != glue.Invalid {
		t.Errorf("another region: %v", err)
	}
}
