package node

import (
	"context"
	"fmt"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	s3dest "hydrant/internal/dest/s3"
	s3store "hydrant/internal/service/s3"
)

// openStore opens the built-in object store, unless another server takes its place.
func (n *Node) openStore(context.Context) (err error) {
	if _, other := n.opt.Config.Endpoints["s3"]; other {
		return nil
	}
	n.store, err = s3store.Open(s3store.Options{
		Root: n.opt.Config.Data, Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
		Keys: n.keys, OwnKeys: n.kms.Own(),
		Logger: n.log.With("room", "s3"), Now: n.opt.Now,
	})
	if err != nil {
		return fmt.Errorf("open the built-in object store: %w", err)
	}
	return nil
}

// destination is where objects go: the built-in store through the same client as any
// other, without a socket, or the server that the configuration names.
func (n *Node) destination(ctx context.Context) (*s3dest.Destination, error) {
	e, other := n.opt.Config.Endpoints["s3"]
	if !other {
		root := n.credentials.Root()
		return s3dest.New(ctx, s3dest.Options{
			Endpoint: "http://store.internal", Region: n.opt.Config.Region, PathStyle: true,
			Credentials: s3dest.StaticCredentials(root.AccessKeyID, string(root.Secret), ""),
			Transport:   n.transport(s3store.NewTransport(n.store, s3store.WithQuickETags())),
		})
	}
	region := e.Region
	if region == "" {
		region = n.opt.Config.Region
	}
	var keys sdk.CredentialsProvider
	if e.AccessKey != "" {
		keys = s3dest.StaticCredentials(e.AccessKey, e.SecretKey.Reveal(), "")
	}
	return s3dest.New(ctx, s3dest.Options{
		Endpoint: e.URL, Region: region, PathStyle: e.UsePathStyle(), NoACL: !e.SendACL(),
		Credentials: keys, CAFile: e.CAFile, SkipVerify: e.InsecureSkipVerify, ServerSideEncryption: e.ServerSideEncryption,
		Connections: uploadSlots, Transport: n.transport(nil),
	})
}

// transport is what tests gave, or t.
func (n *Node) transport(t http.RoundTripper) http.RoundTripper {
	if n.opt.StoreTransport != nil {
		return n.opt.StoreTransport
	}
	return t
}
