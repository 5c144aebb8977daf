package glue

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/record"
)

// secondsOf is a time as the API tells it.
func secondsOf(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// tell is what the API tells of a database.
func (s *Service) tell(d *database) Database {
	return Database{DatabaseInput: d.Input, CreateTime: secondsOf(d.Created), CatalogID: s.opt.Account}
}

// databaseBody is embedded in inputs that define a database.
type databaseBody struct {
	DatabaseInput *struct {
		DatabaseInput
		FederatedDatabase jsontext.Value
	}
}

func (in *databaseBody) check(v *violations) {
	if in.DatabaseInput == nil {
		v.add("databaseInput", "Member must not be null")
		return
	}
	in.DatabaseInput.check(v, "databaseInput")
	v.absent("databaseInput.federatedDatabase", in.DatabaseInput.FederatedDatabase)
}

// absent refuses what the catalogue cannot do, instead of forgetting it.
func (v *violations) absent(path string, value jsontext.Value) {
	if len(value) > 0 && string(value) != "null" {
		v.add(path, "Member is not supported by this catalogue")
	}
}

// named is the definition under the name that it is stored by.
func (in *databaseBody) named() DatabaseInput {
	of := in.DatabaseInput.DatabaseInput
	of.Name = fold(of.Name)
	return of
}

type createDatabaseInput struct {
	ofCatalog
	databaseBody
	Tags map[string]string // taken and not kept
}

func (in *createDatabaseInput) about() (database, table string) {
	if in.DatabaseInput == nil {
		return "", ""
	}
	return in.DatabaseInput.Name, ""
}

func (in *createDatabaseInput) check(v *violations) {
	in.ofCatalog.check(v)
	in.databaseBody.check(v)
	v.count("tags", len(in.Tags), 50)
}

func (s *Service) createDatabase(ctx context.Context, in *createDatabaseInput) (nothing, error) {
	if err := s.catalog(in.CatalogID); err != nil {
		return nothing{}, err
	}
	d := &database{ID: newID(), Input: in.named(), Created: s.opt.Now().UTC()}
	return nothing{}, s.alter(ctx, func(w *writes) error {
		there, err := s.opt.Log.State(ctx, databaseKey(d.Input.Name))
		switch {
		case err != nil:
			return err
		case there.Version != 0:
			return errHasDatabase
		}
		all, err := s.keys(ctx, databaseKeys, maxDatabases)
		if err != nil {
			return err
		}
		if len(all) == maxDatabases {
			return refuse(LimitExceeded, "This catalogue may have %d databases.", maxDatabases)
		}
		return s.putDatabase(w, d)
	})
}

// putDatabase writes a database.
func (s *Service) putDatabase(w *writes, d *database) error {
	n, err := w.put(databaseKey(d.Input.Name), d.state, d)
	if err == nil && n > maxDatabaseBytes {
		err = refuse(LimitExceeded, "The definition of a database may have %d bytes.", maxDatabaseBytes)
	}
	return err
}

// namedDatabase is embedded in inputs that name a database by Name.
type namedDatabase struct {
	ofCatalog
	Name string
}

func (in *namedDatabase) about() (database, table string) { return in.Name, "" }

func (in *namedDatabase) check(v *violations) {
	in.ofCatalog.check(v)
	v.name("name", in.Name)
}

type getDatabaseOutput struct{ Database Database }

func (s *Service) getDatabase(ctx context.Context, in *namedDatabase) (getDatabaseOutput, error) {
	d, err := s.database(ctx, in.CatalogID, in.Name)
	if err != nil {
		return getDatabaseOutput{}, err
	}
	return getDatabaseOutput{s.tell(d)}, nil
}

type getDatabasesInput struct {
	ofCatalog
	pager
}

func (in *getDatabasesInput) check(v *violations) {
	in.ofCatalog.check(v)
	in.checkPage(v, maxPage)
}

type getDatabasesOutput struct {
	DatabaseList []Database
	more
}

func (s *Service) getDatabases(ctx context.Context, in *getDatabasesInput) (out getDatabasesOutput, err error) {
	if err := s.catalog(in.CatalogID); err != nil {
		return out, err
	}
	out.DatabaseList, out.more, err = list(ctx, s, databaseKeys, &in.pager, usualPage, func(st record.State) (*Database, error) {
		var d database
		err := decode(st, &d)
		told := s.tell(&d)
		return &told, err
	})
	return out, err
}

type updateDatabaseInput struct {
	namedDatabase
	databaseBody
}

func (in *updateDatabaseInput) check(v *violations) {
	in.namedDatabase.check(v)
	in.databaseBody.check(v)
}

func (s *Service) updateDatabase(ctx context.Context, in *updateDatabaseInput) (nothing, error) {
	to := in.named()
	if to.Name != fold(in.Name) {
		return nothing{}, refuse(Invalid, "Databases cannot be renamed.")
	}
	return nothing{}, s.alter(ctx, func(w *writes) error {
		d, err := s.database(ctx, in.CatalogID, in.Name)
		if err != nil {
			return err
		}
		d.Input = to
		return s.putDatabase(w, d)
	})
}

// deleteDatabase removes a database, and with it all that is in it.
func (s *Service) deleteDatabase(ctx context.Context, in *namedDatabase) (nothing, error) {
	id := ""
	err := s.alter(ctx, func(w *writes) error {
		d, err := s.database(ctx, in.CatalogID, in.Name)
		if err != nil {
			return err
		}
		id = d.ID
		w.drop(databaseKey(in.Name), d.state)
		_, err = w.put(sweepKeys+id, 0, ofDatabase(id))
		return err
	})
	if err == nil {
		s.sweepNow(ctx, id)
	}
	return nothing{}, err
}

type getTagsInput struct {
	ofCatalog
	ResourceArn string
}

func (in *getTagsInput) check(v *violations) {
	v.text("resourceArn", in.ResourceArn, 1, 10240, anyText)
}

type getTagsOutput struct{ Tags map[string]string }

// getTags tells programs that ask after each creation that there are no tags.
func (s *Service) getTags(context.Context, *getTagsInput) (getTagsOutput, error) {
	return getTagsOutput{map[string]string{}}, nil
}
