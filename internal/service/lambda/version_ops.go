package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

type publishInput struct {
	CodeSha256  string
	Description *string
	RevisionID  string `json:"RevisionId"`
}

// publishVersion serves PublishVersion. If nothing has changed since the last version, that
// is the answer.
func (s *Service) publishVersion(q *request) (int, any, error) {
	if err := s.allowWhole(q, "PublishVersion"); err != nil {
		return 0, nil, err
	}
	var in publishInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	var v violations
	v.text("description", in.Description, maxDescription)
	if err := v.err(); err != nil {
		return 0, nil, err
	}
	var out *Configuration
	_, err := s.edit(q, in.RevisionID, func(f *function) error {
		if sum := f.Configuration.CodeSha256; in.CodeSha256 != "" && in.CodeSha256 != sum {
			return invalid("CodeSHA256 (" + clip(in.CodeSha256) + ") is different from current CodeSHA256 in $LATEST (" + sum +
				"). Please try again with the CodeSHA256 in $LATEST.")
		}
		published, err := s.publish(f, in.Description)
		out = published
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, out, nil
}

// publish adds a version of what $LATEST is, and stores the function with it. The version is
// durable before function.json counts it: a crash in between leaves a file of a number that
// was never given out.
func (s *Service) publish(f *function, description *string) (*Configuration, error) {
	if last := f.version(strconv.Itoa(f.Published)); last != nil && sameVersion(f.Configuration, last.Configuration) {
		return &last.Configuration, nil
	}
	if len(f.versions) >= maxVersions {
		return nil, fmt.Errorf("%w: a function may have %d versions", ErrStorage, maxVersions)
	}
	if err := s.room(f.Configuration.CodeSize); err != nil {
		return nil, err
	}
	st := storedVersion{f.Configuration, f.Code}
	c := &st.Configuration
	c.Version = strconv.Itoa(f.Published + 1)
	c.FunctionArn = s.arnOf(target{c.FunctionName, c.Version})
	set(&c.Description, description)
	c.stamp(s.opt.Now())
	if err := s.folder.writeVersion(c.FunctionName, &st); err != nil {
		return nil, err
	}
	f.Published++
	if err := s.folder.write(c.FunctionName, &f.stored); err != nil {
		return nil, errors.Join(err, s.folder.removeVersion(c.FunctionName, c.Version))
	}
	v := s.newVersion(f, st)
	f.versions = append(slices.Clip(f.versions), v)
	return &v.Configuration, nil
}

// sameVersion says whether two configurations differ in nothing that makes a version.
func sameVersion(a, b Configuration) bool {
	var texts [2][]byte
	for i, c := range [...]Configuration{a, b} {
		c.Version, c.FunctionArn, c.Description, c.LastModified, c.RevisionID = "", "", "", "", ""
		text, err := json.Marshal(c, json.Deterministic(true))
		if err != nil {
			return false
		}
		texts[i] = text
	}
	return bytes.Equal(texts[0], texts[1])
}

// listVersions serves ListVersionsByFunction, $LATEST first. A marker is the number of the
// last version told.
func (s *Service) listVersions(q *request) (int, any, error) {
	f, err := s.look(q, "ListVersionsByFunction")
	if err != nil {
		return 0, nil, err
	}
	all := s.versionsOf(f)
	page, next, err := paginate(q, all, versionKey)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct {
		Versions   []*Configuration
		NextMarker string `json:",omitempty"`
	}{page, next}, nil
}

// versionsOf are $LATEST and the published versions of a function, under their own ARNs.
func (s *Service) versionsOf(f *function) []*Configuration {
	newest := f.Configuration
	newest.FunctionArn = s.arnOf(target{newest.FunctionName, latest})
	all := []*Configuration{&newest}
	for _, v := range f.versions {
		all = append(all, &v.Configuration)
	}
	return all
}

// forget drops what is kept by a qualifier that is about to go.
func (f *function) forget(qualifier string) {
	f.Policies, f.Events = maps.Clone(f.Policies), maps.Clone(f.Events)
	delete(f.Policies, qualifier)
	delete(f.Events, qualifier)
}

// versionKey orders the versions of a function in lists.
func versionKey(c *Configuration) string {
	number, _ := strconv.Atoi(c.Version) // $LATEST is the first
	return fmt.Sprintf("%s\x00%010d", c.FunctionName, number)
}

// deleteVersion does DeleteFunction with a qualifier. What still runs is ended.
func (s *Service) deleteVersion(q *request) error {
	number := q.target.qualifier
	var gone *version
	_, err := s.edit(q, "", func(f *function) error {
		switch _, isAlias := f.Aliases[number]; {
		case number == latest:
			return invalid("$LATEST version cannot be deleted without deleting the function.")
		case isAlias:
			return invalid("Deletion of aliases is not currently supported.")
		}
		if gone = f.version(number); gone == nil {
			return fmt.Errorf("%w: %s", ErrNotFound, s.arnOf(q.target))
		}
		if users := f.aliasesOf(number); len(users) > 0 {
			return answer("ResourceConflictException", http.StatusConflict,
				"Unable to delete version because the following aliases reference it: ["+strings.Join(users, ", ")+"]")
		}
		f.forget(number)
		err := s.folder.write(q.target.name, &f.stored)
		if err == nil {
			err = s.folder.removeVersion(q.target.name, number)
		}
		if err != nil {
			return err
		}
		f.versions = slices.DeleteFunc(slices.Clone(f.versions), func(v *version) bool { return v == gone })
		return nil
	})
	if err == nil {
		gone.pool.drop(fmt.Errorf("%w: %s", ErrNotFound, s.arnOf(q.target)))
	}
	return err
}
