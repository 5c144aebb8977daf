package node

import (
	"context"

	"hydrant/internal/batch"
	"hydrant/internal/encode/serde"
	"hydrant/internal/process/extract"
	"hydrant/internal/stream"
)

// rules are the judges of what the configuration of a stream names, for the time of a call.
func (n *Node) rules(ctx context.Context) *stream.Rules {
	return &stream.Rules{
		Prefixes:   batch.CheckPrefixes,
		PrefixKeys: batch.Keys,
		Query: func(query string) ([]string, error) {
			e, err := extract.New(query, "JQ-1.6", n.opt.Now)
			if err != nil {
				return nil, err
			}
			return e.Keys(), nil
		},
		Deserializer: func(d *stream.Deserializer) error {
			if d.HiveJSON != nil {
				return serde.CheckTimestampFormats(d.HiveJSON.TimestampFormats)
			}
			return serde.CheckMappings(d.OpenXJSON.KeyMappings)
		},
		Table:        func(s *stream.SchemaConfiguration) error { return n.checkTable(ctx, s) },
		SmallBuffers: n.opt.Config.Delivery.SmallBuffers,
		Account:      n.opt.Config.Account,
	}
}
