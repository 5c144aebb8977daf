package glue

import (
	"context"
	"errors"
	"slices"
	"strconv"
)

// versionID writes the number of a version as the API does.
func versionID(n uint64) string { return strconv.FormatUint(n, 10) }

// parseVersion reads the id of a version.
func parseVersion(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0, errVersionID
	}
	return n, nil
}

// failureOf is what a batch operation tells of a refusal; other errors end the operation.
func failureOf(err error) (*detail, error) {
	var told *Error
	if errors.As(err, &told) {
		return &detail{told.Code, told.Message}, nil
	}
	return nil, err
}

// versionAt reads a version by its id; empty means the current one.
func (s *Service) versionAt(ctx context.Context, catalog, databaseName, table, id string) (*database, *head, *version, error) {
	if id == "" {
		return s.current(ctx, catalog, databaseName, table)
	}
	d, h, err := s.head(ctx, catalog, databaseName, table)
	if err != nil {
		return nil, nil, nil, err
	}
	n, err := parseVersion(id)
	if err != nil {
		return nil, nil, nil, err
	}
	v, state, err := read[version](ctx, s, versionKey(h, n))
	if err == nil && state == 0 {
		err = errNoVersion
	}
	return d, h, &v, err
}

type getTableVersionInput struct {
	inTable
	VersionID string `json:"VersionId"`
}

func (in *getTableVersionInput) check(v *violations) {
	in.inTable.check(v)
	v.text("versionId", in.VersionID, 0, 255, lineForm)
}

// tableVersion is what the API tells of a version.
type tableVersion struct {
	Table     Table
	VersionID string `json:"VersionId"`
}

type getTableVersionOutput struct{ TableVersion tableVersion }

func (s *Service) getTableVersion(ctx context.Context, in *getTableVersionInput) (getTableVersionOutput, error) {
	d, h, v, err := s.versionAt(ctx, in.CatalogID, in.DatabaseName, in.TableName, in.VersionID)
	if err != nil {
		return getTableVersionOutput{}, err
	}
	return getTableVersionOutput{tableVersion{s.tellTable(d, h, v), versionID(v.Number)}}, nil
}

type getTableVersionsInput struct {
	inTable
	pager
}

func (in *getTableVersionsInput) check(v *violations) {
	in.inTable.check(v)
	in.checkPage(v, maxPage)
}

type getTableVersionsOutput struct {
	TableVersions []tableVersion
	more
}

// getTableVersions lists versions, the newest first. A token is the number of the last one told.
func (s *Service) getTableVersions(ctx context.Context, in *getTableVersionsInput) (out getTableVersionsOutput, err error) {
	d, h, err := s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName)
	if err != nil {
		return out, err
	}
	numbers, err := h.below(in.NextToken)
	if err != nil {
		return out, err
	}
	limit, size := usualPage, 0
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	out.TableVersions = []tableVersion{}
	for i, n := range numbers {
		st, err := s.opt.Log.State(ctx, versionKey(h, n))
		if err != nil {
			return out, err
		}
		if st.Version == 0 { // deleted since
			continue
		}
		if size += len(st.Value); len(out.TableVersions) == limit || size > maxPageBytes && len(out.TableVersions) > 0 {
			out.more = more{versionID(numbers[i-1])}
			return out, nil
		}
		var v version
		if err := decode(st, &v); err != nil {
			return out, err
		}
		out.TableVersions = append(out.TableVersions, tableVersion{s.tellTable(d, h, &v), versionID(n)})
	}
	return out, nil
}

// below are the numbers of the stored versions, downwards: all, or those below a token.
func (h *head) below(token string) ([]uint64, error) {
	all := append(slices.Clone(h.Archived), h.Current)
	slices.Reverse(all)
	if token == "" {
		return all, nil
	}
	last, err := parseVersion(token)
	if err != nil {
		return nil, errToken
	}
	return slices.DeleteFunc(all, func(n uint64) bool { return n >= last }), nil
}

// dropVersion removes a stored version of a table from what is stored and from the counts.
func (s *Service) dropVersion(ctx context.Context, w *writes, h *head, number uint64) error {
	st, err := s.opt.Log.State(ctx, versionKey(h, number))
	if err != nil {
		return err
	}
	if st.Version == 0 {
		return errNoVersion
	}
	w.drop(st.Key, st.Version)
	if i := slices.Index(h.Archived, number); i >= 0 {
		h.Archived = slices.Delete(h.Archived, i, i+1)
	}
	h.Bytes -= len(st.Value)
	return nil
}

func (in *deleteTableVersionInput) check(v *violations) {
	in.inTable.check(v)
	v.text("versionId", in.VersionID, 1, 255, lineForm)
}

type deleteTableVersionInput struct {
	inTable
	VersionID string `json:"VersionId"`
}

func (s *Service) deleteTableVersion(ctx context.Context, in *deleteTableVersionInput) (nothing, error) {
	return nothing{}, s.removeVersion(ctx, &in.inTable, in.VersionID)
}

// removeVersion removes a version that is not the current one.
func (s *Service) removeVersion(ctx context.Context, in *inTable, id string) error {
	return s.alter(ctx, func(w *writes) error {
		d, h, err := s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName)
		if err != nil {
			return err
		}
		n, err := parseVersion(id)
		if err != nil {
			return err
		}
		if n == h.Current {
			return refuse(Invalid, "The current version of a table cannot be deleted.")
		}
		if err := s.dropVersion(ctx, w, h, n); err != nil {
			return err
		}
		_, err = w.put(tableKey(d, h.Name), h.state, h)
		return err
	})
}

type batchDeleteTableVersionInput struct {
	inTable
	VersionIDs []string `json:"VersionIds"`
}

func (in *batchDeleteTableVersionInput) check(v *violations) {
	in.inTable.check(v)
	v.count("versionIds", len(in.VersionIDs), maxBatch)
	v.texts("versionIds", in.VersionIDs, 1, 255)
}

type versionFailure struct {
	TableName   string
	VersionID   string `json:"VersionId"`
	ErrorDetail detail
}

type batchDeleteTableVersionOutput struct {
	Errors []versionFailure `json:",omitempty"`
}

func (s *Service) batchDeleteTableVersion(ctx context.Context, in *batchDeleteTableVersionInput) (out batchDeleteTableVersionOutput, err error) {
	if _, _, err := s.head(ctx, in.CatalogID, in.DatabaseName, in.TableName); err != nil {
		return out, err
	}
	for _, id := range in.VersionIDs {
		failed, err := failureOf(s.removeVersion(ctx, &in.inTable, id))
		if err != nil {
			return out, err
		}
		if failed != nil {
			out.Errors = append(out.Errors, versionFailure{in.TableName, id, *failed})
		}
	}
	return out, nil
}
