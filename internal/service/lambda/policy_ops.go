package lambda

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
)

// maxPolicy is bytes of a policy, AWS's quota.
const maxPolicy = 20 << 10

var (
	statementForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)
	actionForm    = regexp.MustCompile(`^(lambda:\*|lambda:[a-zA-Z]+|\*)$`)
	serviceForm   = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
	principalForm = regexp.MustCompile(`^(\*|\d{12}|arn:[^\s]{1,512})$`)
)

// policy is who else may call a function. It is kept for the tools that write and read it;
// who may call here is the business of the callers' own permissions.
type policy struct {
	RevisionID string `json:"RevisionId"`
	Statements []statement
}

// statement is one permission, in the words of IAM.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

type permissionInput struct {
	StatementID         string `json:"StatementId"`
	Action              string
	Principal           string
	SourceArn           string
	SourceAccount       string
	EventSourceToken    string
	PrincipalOrgID      string
	FunctionURLAuthType string `json:"FunctionUrlAuthType"`
	RevisionID          string `json:"RevisionId"`
}

func (in *permissionInput) check() error {
	var v violations
	v.form("statementId", &in.StatementID, statementForm)
	v.form("action", &in.Action, actionForm)
	if !serviceForm.MatchString(in.Principal) && !principalForm.MatchString(in.Principal) {
		v.add("principal", clip(in.Principal), "Member must name a service, an account, an ARN or *")
	}
	if in.SourceAccount != "" {
		v.form("sourceAccount", &in.SourceAccount, accountForm)
	}
	return v.err()
}

// statement words a permission.
func (s *Service) statement(in *permissionInput, t target) statement {
	st := statement{Sid: in.StatementID, Effect: "Allow", Action: in.Action, Resource: s.arnOf(t)}
	switch {
	case in.Principal == "*":
		st.Principal = "*"
	case serviceForm.MatchString(in.Principal):
		st.Principal = map[string]string{"Service": in.Principal}
	case accountForm.MatchString(in.Principal):
		st.Principal = map[string]string{"AWS": "arn:" + s.opt.Partition + ":iam::" + in.Principal + ":root"}
	default:
		st.Principal = map[string]string{"AWS": in.Principal}
	}
	for _, c := range [...]struct{ operator, key, value string }{
		{"ArnLike", "AWS:SourceArn", in.SourceArn},
		{"StringEquals", "AWS:SourceAccount", in.SourceAccount},
		{"StringEquals", "lambda:EventSourceToken", in.EventSourceToken},
		{"StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID},
		{"StringEquals", "lambda:FunctionUrlAuthType", in.FunctionURLAuthType},
	} {
		if c.value == "" {
			continue
		}
		if st.Condition == nil {
			st.Condition = make(map[string]map[string]string)
		}
		if st.Condition[c.operator] == nil {
			st.Condition[c.operator] = make(map[string]string)
		}
		st.Condition[c.operator][c.key] = c.value
	}
	return st
}

// document is a policy as IAM writes it.
func (p *policy) document() (string, error) {
	text, err := json.Marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []statement
	}{"2012-10-17", "default", p.Statements}, json.Deterministic(true))
	return string(text), err
}

// addPermission serves AddPermission.
func (s *Service) addPermission(q *request) (int, any, error) {
	if err := s.allow(q, "AddPermission"); err != nil {
		return 0, nil, err
	}
	var in permissionInput
	if err := q.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	st := s.statement(&in, q.target)
	text, err := json.Marshal(st, json.Deterministic(true))
	if err != nil {
		return 0, nil, err
	}
	err = s.editPolicy(q, in.RevisionID, func(p *policy) error {
		if slices.ContainsFunc(p.Statements, func(o statement) bool { return o.Sid == st.Sid }) {
			return answer("ResourceConflictException", http.StatusConflict,
				"The statement id ("+st.Sid+") provided already exists. Please provide a new statement id, or remove the existing statement.")
		}
		p.Statements = append(slices.Clone(p.Statements), st)
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]string{"Statement": string(text)}, nil
}

// editPolicy changes the policy of what a request is about. One that says nothing any more
// is none.
func (s *Service) editPolicy(q *request, revision string, do func(*policy) error) error {
	_, err := s.edit(q, "", func(f *function) error {
		if _, err := s.deployed(f, q.target, 0); err != nil {
			return err
		}
		key := whole(q.target.qualifier)
		p, found := f.Policies[key]
		if revision != "" && (!found || revision != p.RevisionID) {
			return fmt.Errorf("%w: the policy of %s", ErrRevision, s.arnOf(q.target))
		}
		if err := do(&p); err != nil {
			return err
		}
		if text, err := p.document(); err != nil || len(text) > maxPolicy {
			return answer("PolicyLengthExceededException", http.StatusBadRequest,
				fmt.Sprintf("The final policy size (%d) is bigger than the limit (%d).", len(text), maxPolicy))
		}
		p.RevisionID = newID()
		if f.Policies = maps.Clone(f.Policies); f.Policies == nil {
			f.Policies = make(map[string]policy)
		}
		if f.Policies[key] = p; len(p.Statements) == 0 {
			delete(f.Policies, key)
		}
		return s.folder.write(q.target.name, &f.stored)
	})
	return err
}

// getPolicy serves GetPolicy.
func (s *Service) getPolicy(q *request) (int, any, error) {
	d, err := s.lookAt(q, "GetPolicy")
	if err != nil {
		return 0, nil, err
	}
	p, ok := d.function.Policies[whole(q.target.qualifier)]
	if !ok {
		return 0, nil, answer("ResourceNotFoundException", http.StatusNotFound, "The resource you requested does not exist.")
	}
	text, err := p.document()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"Policy": text, "RevisionId": p.RevisionID}, nil
}

// removePermission serves RemovePermission.
func (s *Service) removePermission(q *request) (int, any, error) {
	if err := s.allow(q, "RemovePermission"); err != nil {
		return 0, nil, err
	}
	sid := q.PathValue("statement")
	err := s.editPolicy(q, q.URL.Query().Get("RevisionId"), func(p *policy) error {
		n := len(p.Statements)
		p.Statements = slices.DeleteFunc(slices.Clone(p.Statements), func(o statement) bool { return o.Sid == sid })
		if len(p.Statements) == n {
			return answer("ResourceNotFoundException", http.StatusNotFound, "Statement "+clip(sid)+" is not found in resource policy.")
		}
		return nil
	})
	return http.StatusNoContent, nil, err
}
