package glue

import (
	"context"
	"hash/fnv"

	"hydrant/internal/record"
)

// tellPartition is what the API tells of a partition.
func (s *Service) tellPartition(d *database, h *head, p *partition) Partition {
	return Partition{
		PartitionInput: p.Input, DatabaseName: d.Input.Name, TableName: h.Name,
		CreationTime: secondsOf(p.Created), CatalogID: s.opt.Account,
	}
}

type createPartitionInput struct {
	inTable
	PartitionInput *PartitionInput
}

func (in *createPartitionInput) check(v *violations) {
	in.inTable.check(v)
	if in.PartitionInput == nil {
		v.add("partitionInput", "Member must not be null")
		return
	}
	in.PartitionInput.check(v, "partitionInput")
}

func (s *Service) createPartition(ctx context.Context, in *createPartitionInput) (nothing, error) {
	failed, err := s.addPartitions(ctx, &in.inTable, []PartitionInput{*in.PartitionInput})
	if err == nil && len(failed) > 0 {
		err = &Error{failed[0].ErrorDetail.ErrorCode, failed[0].ErrorDetail.ErrorMessage}
	}
	return nothing{}, err
}

type batchCreatePartitionInput struct {
	inTable
	PartitionInputList []PartitionInput
}

func (in *batchCreatePartitionInput) check(v *violations) {
	in.inTable.check(v)
	v.count("partitionInputList", len(in.PartitionInputList), maxBatch)
	for i := range in.PartitionInputList {
		in.PartitionInputList[i].check(v, "partitionInputList."+versionID(uint64(i+1))+".member")
	}
}

type partitionFailure struct {
	PartitionValues []string
	ErrorDetail     detail
}

type batchCreatePartitionOutput struct {
	Errors []partitionFailure `json:",omitempty"`
}

func (s *Service) batchCreatePartition(ctx context.Context, in *batchCreatePartitionInput) (out batchCreatePartitionOutput, err error) {
	out.Errors, err = s.addPartitions(ctx, &in.inTable, in.PartitionInputList)
	return out, err
}

// addPartitions writes those partitions that can be, in one go.
func (s *Service) addPartitions(ctx context.Context, in *inTable, all []PartitionInput) (failed []partitionFailure, err error) {
	now := s.opt.Now().UTC()
	err = s.alter(ctx, func(w *writes) error {
		failed = nil
		d, h, v, err := s.current(ctx, in.CatalogID, in.DatabaseName, in.TableName)
		if err != nil {
			return err
		}
		taken := map[string]bool{}
		for _, p := range all {
			why, err := failureOf(s.addPartition(ctx, w, h, v, &partition{now, p}, taken))
			if err != nil {
				return err
			}
			if why != nil {
				failed = append(failed, partitionFailure{p.Values, *why})
			}
		}
		if len(*w) == 0 {
			return nil
		}
		_, err = w.put(tableKey(d, h.Name), h.state, h)
		return err
	})
	return failed, err
}

// addPartition adds one partition to a change, unless something speaks against it. taken are
// the keys that the change adds already.
func (s *Service) addPartition(ctx context.Context, w *writes, h *head, v *version, p *partition, taken map[string]bool) error {
	if len(p.Input.Values) != len(v.Input.PartitionKeys) || len(p.Input.Values) == 0 {
		return errValueCount
	}
	key := partitionKey(h, p.Input.Values)
	if key == "" {
		return refuse(Invalid, "The values of a partition are longer than %d bytes.", maxKeyBytes)
	}
	there, err := s.opt.Log.State(ctx, key)
	switch {
	case err != nil:
		return err
	case there.Version != 0 || taken[key]:
		return errHasPartition
	case h.Partitions >= maxPartitions:
		return refuse(LimitExceeded, "A table may have %d partitions.", maxPartitions)
	}
	var one writes
	n, err := one.put(key, 0, p)
	if err != nil {
		return err
	}
	if n > maxPartBytes {
		return refuse(LimitExceeded, "The definition of a partition may have %d bytes.", maxPartBytes)
	}
	*w = append(*w, one...)
	taken[key] = true
	h.Partitions++
	return nil
}

// namedPartition is the input of operations on one partition.
type namedPartition struct {
	inTable
	PartitionValues []string
}

func (in *namedPartition) check(v *violations) {
	in.inTable.check(v)
	v.values("partitionValues", in.PartitionValues)
}

// find reads a partition, and returns the state of its key.
func (s *Service) find(ctx context.Context, h *head, values []string) (*partition, record.StateWrite, error) {
	key := partitionKey(h, values)
	if key == "" || len(values) == 0 {
		return nil, record.StateWrite{}, errNoPartition
	}
	p, state, err := read[partition](ctx, s, key)
	if err == nil && state == 0 {
		err = errNoPartition
	}
	return &p, record.StateWrite{Key: key, Old: state}, err
}

type getPartitionOutput struct{ Partition Partition }

func (s *Service) getPartition(ctx context.Context, in *namedPartition) (out getPartitionOutput, err error) {
	d, h, err := s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName)
	if err != nil {
		return out, err
	}
	p, _, err := s.find(ctx, h, in.PartitionValues)
	if err != nil {
		return out, err
	}
	return getPartitionOutput{s.tellPartition(d, h, p)}, nil
}

func (s *Service) deletePartition(ctx context.Context, in *namedPartition) (nothing, error) {
	return nothing{}, s.alter(ctx, func(w *writes) error {
		d, h, err := s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName)
		if err != nil {
			return err
		}
		_, drop, err := s.find(ctx, h, in.PartitionValues)
		if err != nil {
			return err
		}
		*w = append(*w, drop)
		h.Partitions--
		_, err = w.put(tableKey(d, h.Name), h.state, h)
		return err
	})
}

// segment is a share of the partitions that one of several readers wants.
type segment struct{ SegmentNumber, TotalSegments int }

// has says whether a key belongs to the segment.
func (g *segment) has(key string) bool {
	if g == nil {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32()%uint32(g.TotalSegments)) == g.SegmentNumber
}

type getPartitionsInput struct {
	inTable
	pager
	Expression          string
	Segment             *segment
	ExcludeColumnSchema bool
}

func (in *getPartitionsInput) check(v *violations) {
	in.inTable.check(v)
	in.checkPage(v, maxPartsPage)
	v.text("expression", in.Expression, 0, maxExpression, linesForm)
	if g := in.Segment; g != nil {
		v.number("segment.totalSegments", &g.TotalSegments, 1, 10)
		v.number("segment.segmentNumber", &g.SegmentNumber, 0, max(g.TotalSegments-1, 0))
	}
}

type getPartitionsOutput struct {
	Partitions []Partition
	more
}

// getPartitions lists the partitions of which the expression is true.
func (s *Service) getPartitions(ctx context.Context, in *getPartitionsInput) (out getPartitionsOutput, err error) {
	d, h, v, err := s.current(ctx, in.CatalogID, in.DatabaseName, in.TableName)
	if err != nil {
		return out, err
	}
	matches, err := parsePredicate(in.Expression, v.Input.PartitionKeys)
	if err != nil {
		return out, err
	}
	out.Partitions, out.more, err = list(ctx, s, partitionPrefix(h), &in.pager, usualParts, func(st record.State) (*Partition, error) {
		var p partition
		if err := decode(st, &p); err != nil || !in.Segment.has(st.Key) || !matches(p.Input.Values) {
			return nil, err
		}
		if in.ExcludeColumnSchema && p.Input.StorageDescriptor != nil {
			p.Input.StorageDescriptor.Columns = nil
		}
		told := s.tellPartition(d, h, &p)
		return &told, nil
	})
	return out, err
}

type partitionIndexesOutput struct{ PartitionIndexDescriptorList []string }

// getPartitionIndexes tells programs that ask after each creation that there are none.
func (s *Service) getPartitionIndexes(ctx context.Context, in *inTable) (out partitionIndexesOutput, err error) {
	_, _, err = s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName)
	return partitionIndexesOutput{[]string{}}, err
}
