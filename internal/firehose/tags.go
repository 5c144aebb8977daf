package firehose

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// tagDeliveryStream adds tags and overwrites those of the same key (spec section 2.10).
func (s *Service) tagDeliveryStream(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, tagInput)
	if err != nil {
		return err
	}
	var in struct {
		Tags []stream.Tag `json:"Tags"`
	}
	if err := json.Unmarshal(c.Body, &in, jsontext.AllowDuplicateNames(true)); err != nil {
		return fmt.Errorf("read the tags of stream %s: %w", name, err)
	}
	return s.retag(ctx, c, name, func(d *stream.Definition) (bool, error) { return d.SetTags(in.Tags) })
}

// untagDeliveryStream removes tags; keys that are not there do not matter.
func (s *Service) untagDeliveryStream(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, untagInput)
	if err != nil {
		return err
	}
	var in struct {
		Keys []string `json:"TagKeys"`
	}
	if err := json.Unmarshal(c.Body, &in, jsontext.AllowDuplicateNames(true)); err != nil {
		return fmt.Errorf("read the tag keys of stream %s: %w", name, err)
	}
	return s.retag(ctx, c, name, func(d *stream.Definition) (bool, error) { return d.RemoveTags(in.Keys), nil })
}

// retag changes the tags of a stream that is not on its way out (spec section 2.2).
func (s *Service) retag(ctx context.Context, c *aws.Call, name string, change func(*stream.Definition) (bool, error)) error {
	err := s.opt.Streams.Edit(ctx, name, func(d *stream.Definition) (bool, error) {
		if d.Status == stream.Deleting || d.Status == stream.DeletingFailed {
			return false, s.inTheWay(notTaggable, d)
		}
		return change(d)
	})
	if err != nil {
		return s.explain(name, err)
	}
	c.Out = append(c.Out, "{}"...)
	return nil
}

// defaultTagLimit is how many tags an answer has if the request says nothing.
const defaultTagLimit = 50

// tagList is the answer of ListTagsForDeliveryStream.
type tagList struct {
	Tags []stream.Tag `json:"Tags"`
	More bool         `json:"HasMoreTags"`
}

// listTags lists the tags of a stream behind an exclusive cursor (spec section 2.11).
func (s *Service) listTags(ctx context.Context, c *aws.Call) error {
	root, name, err := s.open(ctx, c, listTagsInput)
	if err != nil {
		return err
	}
	d, ok := s.opt.Streams.Get(name)
	if !ok {
		return s.explain(name, registry.ErrNotFound)
	}
	limit, after := defaultTagLimit, ""
	if n := root.member(listTagsInput, "Limit"); n != nil {
		limit = int(n.integer)
	}
	if n := root.member(listTagsInput, "ExclusiveStartTagKey"); n != nil {
		after = n.text
	}
	var out tagList
	out.Tags, out.More = d.TagsAfter(after, limit)
	if c.Out, err = appendJSON(c.Out, out); err != nil {
		return fmt.Errorf("write the tags of stream %s: %w", name, err)
	}
	return nil
}
