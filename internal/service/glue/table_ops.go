package glue

import (
	"context"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/record"
)

// tellTable is what the API tells of a version of a table.
func (s *Service) tellTable(d *database, h *head, v *version) Table {
	return Table{
		TableInput: v.Input, DatabaseName: d.Input.Name, CreateTime: secondsOf(h.Created), UpdateTime: secondsOf(v.Updated),
		CreatedBy: h.CreatedBy, CatalogID: s.opt.Account, VersionID: versionID(v.Number),
	}
}

// tableBody is embedded in inputs that define a table.
type tableBody struct {
	inDatabase
	TableInput *struct {
		TableInput
		ViewDefinition jsontext.Value
	}
	OpenTableFormatInput       jsontext.Value
	UpdateOpenTableFormatInput jsontext.Value
}

func (in *tableBody) about() (database, table string) {
	if in.TableInput == nil {
		return in.DatabaseName, ""
	}
	return in.DatabaseName, in.TableInput.Name
}

func (in *tableBody) check(v *violations) {
	in.inDatabase.check(v)
	v.absent("openTableFormatInput", in.OpenTableFormatInput)
	v.absent("updateOpenTableFormatInput", in.UpdateOpenTableFormatInput)
	if in.TableInput == nil {
		v.add("tableInput", "Member must not be null")
		return
	}
	in.TableInput.check(v, "tableInput")
	v.absent("tableInput.viewDefinition", in.TableInput.ViewDefinition)
}

// named is the definition under the name that it is stored by.
func (in *tableBody) named() TableInput {
	of := in.TableInput.TableInput
	of.Name = fold(of.Name)
	return of
}

type createTableInput struct {
	tableBody
	PartitionIndexes jsontext.Value // taken and not kept: they change nothing but speed
}

func (s *Service) createTable(ctx context.Context, in *createTableInput) (nothing, error) {
	now := s.opt.Now().UTC()
	v := &version{Updated: now, Input: in.named()}
	h := &head{ID: newID(), Name: v.Input.Name, Created: now, CreatedBy: caller(ctx)}
	return nothing{}, s.alter(ctx, func(w *writes) error {
		d, err := s.database(ctx, in.CatalogID, in.DatabaseName)
		if err != nil {
			return err
		}
		there, err := s.opt.Log.State(ctx, tableKey(d, h.Name))
		switch {
		case err != nil:
			return err
		case there.Version != 0:
			return errHasTable
		case d.Tables >= maxTables:
			return refuse(LimitExceeded, "A database may have %d tables.", maxTables)
		}
		h.Bytes = 0
		if err := putVersion(w, h, v); err != nil {
			return err
		}
		if _, err := w.put(tableKey(d, h.Name), 0, h); err != nil {
			return err
		}
		d.Tables++
		return s.putDatabase(w, d)
	})
}

// putVersion writes a new version and counts its bytes.
func putVersion(w *writes, h *head, v *version) error {
	n, err := w.put(versionKey(h, v.Number), 0, v)
	if err != nil {
		return err
	}
	if n > maxVersionBytes {
		return refuse(LimitExceeded, "The definition of a table may have %d bytes; this one has %d.", maxVersionBytes, n)
	}
	h.Bytes += n
	return nil
}

type updateTableInput struct {
	tableBody
	SkipArchive bool
	VersionID   string `json:"VersionId"`
}

func (in *updateTableInput) check(v *violations) {
	in.tableBody.check(v)
	v.text("versionId", in.VersionID, 0, 255, lineForm)
}

// updateTable replaces the definition of a table by a new version.
func (s *Service) updateTable(ctx context.Context, in *updateTableInput) (nothing, error) {
	to := in.named()
	return nothing{}, s.alter(ctx, func(w *writes) error {
		d, h, err := s.head(ctx, in.CatalogID, in.DatabaseName, to.Name)
		if err != nil {
			return err
		}
		if in.VersionID != "" && in.VersionID != versionID(h.Current) {
			return errModified
		}
		h.Archived = append(h.Archived, h.Current)
		if in.SkipArchive {
			if err := s.dropVersion(ctx, w, h, h.Current); err != nil {
				return err
			}
		}
		h.Current++
		if err := putVersion(w, h, &version{Number: h.Current, Updated: s.opt.Now().UTC(), Input: to}); err != nil {
			return err
		}
		if len(h.Archived) >= maxVersions || h.Bytes > maxTableBytes {
			return refuse(LimitExceeded, "A table may have %d versions with %d bytes together. "+
				"Delete old ones, or update with SkipArchive.", maxVersions, maxTableBytes)
		}
		_, err = w.put(tableKey(d, h.Name), h.state, h)
		return err
	})
}

// namedTable is embedded in inputs that name a table by Name.
type namedTable struct {
	inDatabase
	Name string
}

func (in *namedTable) about() (database, table string) { return in.DatabaseName, in.Name }

func (in *namedTable) check(v *violations) {
	in.inDatabase.check(v)
	v.name("name", in.Name)
}

type getTableOutput struct{ Table Table }

func (s *Service) getTable(ctx context.Context, in *namedTable) (getTableOutput, error) {
	d, h, v, err := s.current(ctx, in.CatalogID, in.DatabaseName, in.Name)
	if err != nil {
		return getTableOutput{}, err
	}
	return getTableOutput{s.tellTable(d, h, v)}, nil
}

type getTablesInput struct {
	inDatabase
	pager
	Expression string
}

func (in *getTablesInput) check(v *violations) {
	in.inDatabase.check(v)
	in.checkPage(v, maxPage)
	v.text("expression", in.Expression, 0, maxExpression, lineForm)
}

type getTablesOutput struct {
	TableList []Table
	more
}

// getTables lists tables whose whole name matches the expression.
func (s *Service) getTables(ctx context.Context, in *getTablesInput) (out getTablesOutput, err error) {
	form, err := regexp.Compile("(?is)^(?:" + in.Expression + ")$")
	if _, alone := regexp.Compile(in.Expression); err != nil || alone != nil { // such as a)|(b
		return out, refuse(Invalid, "Expression is not a regular expression.")
	}
	d, err := s.database(ctx, in.CatalogID, in.DatabaseName)
	if err != nil {
		return out, err
	}
	heads, next, err := list(ctx, s, tablePrefix(d), &in.pager, usualPage, func(st record.State) (*head, error) {
		var h head
		if err := decode(st, &h); err != nil || in.Expression != "" && !form.MatchString(h.Name) {
			return nil, err
		}
		return &h, nil
	})
	if err != nil {
		return out, err
	}
	out.TableList, out.more = []Table{}, next
	size := 0
	for i, h := range heads {
		st, err := s.opt.Log.State(ctx, versionKey(&h, h.Current))
		if err != nil {
			return out, err
		}
		if st.Version == 0 { // deleted or replaced since
			continue
		}
		if size += len(st.Value); size > maxPageBytes && len(out.TableList) > 0 {
			out.more = more{token(tablePrefix(d), tableKey(d, heads[i-1].Name))}
			return out, nil
		}
		var v version
		if err := decode(st, &v); err != nil {
			return out, err
		}
		out.TableList = append(out.TableList, s.tellTable(d, &h, &v))
	}
	return out, nil
}

func (s *Service) deleteTable(ctx context.Context, in *namedTable) (nothing, error) {
	return nothing{}, s.removeTable(ctx, in.CatalogID, in.DatabaseName, in.Name)
}

// removeTable removes a table, its versions and its partitions.
func (s *Service) removeTable(ctx context.Context, catalog, databaseName, name string) error {
	id := ""
	err := s.alter(ctx, func(w *writes) error {
		d, h, err := s.head(ctx, catalog, databaseName, name)
		if err != nil {
			return err
		}
		id = h.ID
		w.drop(tableKey(d, name), h.state)
		if _, err := w.put(sweepKeys+id, 0, ofTable(id)); err != nil {
			return err
		}
		d.Tables--
		return s.putDatabase(w, d)
	})
	if err == nil {
		s.sweepNow(ctx, id)
	}
	return err
}

type batchDeleteTableInput struct {
	inDatabase
	TablesToDelete []string
}

func (in *batchDeleteTableInput) check(v *violations) {
	in.inDatabase.check(v)
	v.count("tablesToDelete", len(in.TablesToDelete), maxBatch)
	v.texts("tablesToDelete", in.TablesToDelete, 1, 255)
}

// detail is what a batch operation tells of one failure.
type detail struct{ ErrorCode, ErrorMessage string }

type tableFailure struct {
	TableName   string
	ErrorDetail detail
}

type batchDeleteTableOutput struct {
	Errors []tableFailure `json:",omitempty"`
}

func (s *Service) batchDeleteTable(ctx context.Context, in *batchDeleteTableInput) (out batchDeleteTableOutput, err error) {
	if _, err := s.database(ctx, in.CatalogID, in.DatabaseName); err != nil {
		return out, err
	}
	for _, name := range in.TablesToDelete {
		failed, err := failureOf(s.removeTable(ctx, in.CatalogID, in.DatabaseName, name))
		if err != nil {
			return out, err
		}
		if failed != nil {
			out.Errors = append(out.Errors, tableFailure{name, *failed})
		}
	}
	return out, nil
}
