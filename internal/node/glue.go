package node

import (
	"context"
	"fmt"

	"hydrant/internal/service/glue"
)

// tables finds the tables that streams name.
type tables interface {
	// Table reads a version of a table. A refusal by the catalogue is a *glue.Error; other
	// errors say that it could not be asked.
	Table(ctx context.Context, r glue.Ref) (*glue.TableVersion, error)
}

// Both catalogues are asked alike.
var (
	_ tables = (*glue.Service)(nil)
	_ tables = remoteGlue{}
)

// openTables opens the built-in Glue Data Catalog, unless another one is used, and finds out
// how tables are found.
func (n *Node) openTables(ctx context.Context) error {
	client, err := n.remote(ctx, "glue", glueTarget)
	if err != nil {
		return err
	}
	if client != nil {
		n.tables = remoteGlue{client, n.opt.Config.Region}
		return nil
	}
	n.glue, err = glue.Open(ctx, glue.Options{
		Log: n.engine, Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
		Logger: n.log.With("room", "glue"), Now: n.opt.Now, Full: n.full,
	})
	if err != nil {
		return fmt.Errorf("open the built-in Glue Data Catalog: %w", err)
	}
	n.tables = n.glue
	return nil
}

// full says whether the disk has no more room than what delivery needs to make some.
func (n *Node) full() bool {
	return n.engine.Space().Free < uint64(n.opt.Config.Storage.MinFree)
}
