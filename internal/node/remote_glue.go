package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/service/glue"
)

// glueTarget is the prefix of X-Amz-Target by which Glue is called.
const glueTarget = "AWSGlue"

// remoteGlue is a Glue Data Catalog elsewhere. region is the node's own.
type remoteGlue struct {
	client *aws.Client
	region string
}

// glueWait is how long a call of a remote catalogue may take.
const glueWait = 30 * time.Second

// Table implements tables. The endpoint is one region's catalogue; a stream that names no
// region means it, and one that names the node's does too, for that is the default.
func (g remoteGlue) Table(ctx context.Context, r glue.Ref) (*glue.TableVersion, error) {
	if r.Region != "" && r.Region != g.client.Region && r.Region != g.region {
		return nil, &glue.Error{Code: glue.Invalid, Message: fmt.Sprintf(
			"endpoints.glue is the catalogue of region %s; it is not asked about tables of %s.", g.client.Region, r.Region)}
	}
	ctx, cancel := context.WithTimeout(ctx, glueWait)
	defer cancel()
	if r.Version == "" || r.Version == glue.Latest {
		return g.latest(ctx, r)
	}
	var out struct {
		TableVersion *struct {
			Table     *glue.TableInput
			VersionID string `json:"VersionId"`
		}
	}
	err := g.call(ctx, "GetTableVersion", struct {
		CatalogID    string `json:"CatalogId,omitempty"`
		DatabaseName string
		TableName    string
		VersionID    string `json:"VersionId"`
	}{r.CatalogID, r.Database, r.Table, r.Version}, &out)
	if err != nil {
		return nil, err
	}
	if out.TableVersion == nil || out.TableVersion.Table == nil {
		return nil, fmt.Errorf("get table version: %w: it has no table", aws.ErrBadAnswer)
	}
	return glue.VersionOf(out.TableVersion.Table, out.TableVersion.VersionID), nil
}

// latest reads the newest version.
func (g remoteGlue) latest(ctx context.Context, r glue.Ref) (*glue.TableVersion, error) {
	var out struct {
		Table *struct {
			glue.TableInput
			VersionID string `json:"VersionId"`
		}
	}
	err := g.call(ctx, "GetTable", struct {
		CatalogID    string `json:"CatalogId,omitempty"`
		DatabaseName string
		Name         string
	}{r.CatalogID, r.Database, r.Table}, &out)
	if err != nil {
		return nil, err
	}
	if out.Table == nil {
		return nil, fmt.Errorf("get table: %w: it has no table", aws.ErrBadAnswer)
	}
	return glue.VersionOf(&out.Table.TableInput, out.Table.VersionID), nil
}

// throttling are the codes by which services say that they are asked too often.
var throttling = []string{
	"ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled", "RequestLimitExceeded", "TooManyRequestsException",
}

// call does an operation. What the catalogue refuses becomes a *glue.Error.
func (g remoteGlue) call(ctx context.Context, operation string, in, out any) error {
	err := g.client.Call(ctx, operation, in, out)
	var told *aws.RemoteError
	if !errors.As(err, &told) || told.Code == "" {
		return err
	}
	if slices.Contains(throttling, told.Code) {
		told.Code = glue.Throttled
	}
	return &glue.Error{Code: told.Code, Message: told.Message}
}
