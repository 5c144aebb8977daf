package lambda

import (
	"bytes"
	"net/http"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
)

// maxRequest is the largest request, bytes: code of 50 MB in base64, and all around it.
const maxRequest = maxZip/3*4 + 1<<20

// REST returns the API, to be mounted as lambda.
func (s *Service) REST() *aws.REST {
	return &aws.REST{Name: "lambda", MaxBody: maxRequest, Handler: s.routes(), Refuse: refuseREST}
}

// functionsPath is where functions are in the API.
const functionsPath = "/2015-03-31/functions"

// routes are the operations (spec neighbours.md 2.1 and 2.2).
func (s *Service) routes() http.Handler {
	const (
		functions, one = functionsPath, functionsPath + "/{name}"
		aliases        = one + "/aliases"
		policies       = one + "/policy"
		eventConfig    = "/2019-09-25/functions/{name}/event-invoke-config"
	)
	mux := http.NewServeMux()
	for pattern, do := range map[string]operation{
		"POST " + functions:                               s.createFunction,
		"POST " + functions + "/{$}":                      s.createFunction,
		"GET " + functions:                                s.listFunctions,
		"GET " + functions + "/{$}":                       s.listFunctions,
		"GET " + one:                                      s.getFunction,
		"DELETE " + one:                                   s.deleteFunction,
		"GET " + one + "/configuration":                   s.getConfiguration,
		"PUT " + one + "/configuration":                   s.updateConfiguration,
		"PUT " + one + "/code":                            s.updateCode,
		"GET " + one + "/code":                            s.downloadCode,
		"POST " + one + "/invocations":                    s.invokeFunction,
		"POST /2014-11-13/functions/{name}/invoke-async":  s.invokeAsync,
		"POST /2014-11-13/functions/{name}/invoke-async/": s.invokeAsync,
		"GET " + one + "/versions":                        s.listVersions,
		"POST " + one + "/versions":                       s.publishVersion,
		"GET " + aliases:                                  s.listAliases,
		"POST " + aliases:                                 s.createAlias,
		"GET " + aliases + "/{alias}":                     s.getAlias,
		"PUT " + aliases + "/{alias}":                     s.updateAlias,
		"DELETE " + aliases + "/{alias}":                  s.deleteAlias,
		"GET " + policies:                                 s.getPolicy,
		"POST " + policies:                                s.addPermission,
		"DELETE " + policies + "/{statement}":             s.removePermission,
		"GET " + eventConfig:                              s.getEventConfig,
		"PUT " + eventConfig:                              s.putEventConfig,
		"POST " + eventConfig:                             s.updateEventConfig,
		"DELETE " + eventConfig:                           s.deleteEventConfig,
		"GET " + eventConfig + "/list":                    s.listEventConfigs,
		"GET /2016-08-19/account-settings":                s.accountSettings,
		"GET /2016-08-19/account-settings/{$}":            s.accountSettings,
		"PUT /2017-10-31/functions/{name}/concurrency":    s.putConcurrency,
		"GET /2019-09-30/functions/{name}/concurrency":    s.getConcurrency,
		"DELETE /2017-10-31/functions/{name}/concurrency": s.deleteConcurrency,
		"GET /2017-03-31/tags/{name}":                     s.listTags,
		"POST /2017-03-31/tags/{name}":                    s.tag,
		"DELETE /2017-03-31/tags/{name}":                  s.untag,
		"/":                                               unknownOperation,
	} {
		mux.HandleFunc(pattern, s.serve(do))
	}
	return mux
}

// operation serves one request and says with which status and body; a nil body is none.
type operation func(q *request) (status int, out any, err error)

// request is a verified request in the hands of its operation.
type request struct {
	*http.Request
	caller *aws.Caller
	body   []byte
	target target // of the path, if it names a function
	answer http.Header
}

// raw is a body that is sent as it is.
type raw []byte

// serve makes a handler of an operation.
func (s *Service) serve(do operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, answer: w.Header()}
		var verified bool
		q.caller, _ = aws.CallerFrom(r.Context())
		if q.body, verified = aws.VerifiedBody(r); !verified || q.caller == nil {
			panic("lambda: request was not verified") // aws.REST always does
		}
		status, out, err := s.perform(q, do)
		if err != nil {
			s.refuse(w, q, err)
			return
		}
		s.reply(w, q, status, out)
	}
}

// perform reads which function a request is about, and does what it asks.
func (s *Service) perform(q *request, do operation) (status int, out any, err error) {
	if name := q.PathValue("name"); name != "" {
		if q.target, err = s.parse(name); err != nil {
			return 0, nil, err
		}
		if q.target, err = q.target.qualified(q.URL.Query().Get("Qualifier")); err != nil {
			return 0, nil, err
		}
	}
	return do(q)
}

// allow asks whether the caller may do the action on the function that the path names.
func (s *Service) allow(q *request, action string) error {
	return q.caller.Authorize(q.Context(), "lambda:"+action, s.arnOf(q.target))
}

// allowWhole is allow for what is done to functions and not to single versions of them.
func (s *Service) allowWhole(q *request, action string) error {
	if err := s.allow(q, action); err != nil {
		return err
	}
	if q.target.qualifier != "" && q.target.qualifier != latest {
		return invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
			"Please specify either a function name or an unqualified function ARN.")
	}
	return nil
}

// reply sends an answer.
func (s *Service) reply(w http.ResponseWriter, q *request, status int, out any) {
	if out == nil {
		w.WriteHeader(status)
		return
	}
	if f, ok := out.(*os.File); ok {
		s.replyFile(w, q, f)
		return
	}
	body, ok := out.(raw)
	if !ok {
		text, err := json.Marshal(out, json.Deterministic(true), json.FormatNilSliceAsNull(false))
		if err != nil {
			s.refuse(w, q, err)
			return
		}
		body = text
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.opt.Logger.Debug("answer not sent", "request", q.caller.RequestID, "error", err)
	}
}

// replyFile sends a zip.
func (s *Service) replyFile(w http.ResponseWriter, q *request, f *os.File) {
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, q.Request, "", time.Time{}, f)
	if err := f.Close(); err != nil {
		s.opt.Logger.Debug("a zip closed badly", "request", q.caller.RequestID, "error", err)
	}
}

// refuse sends an error. What there are no words for is logged.
func (s *Service) refuse(w http.ResponseWriter, q *request, err error) {
	e := s.explain(q.target, err)
	if e == nil && q.Context().Err() != nil {
		s.opt.Logger.Debug("client went away", "request", q.caller.RequestID, "path", q.URL.Path)
		e = answer("ServiceException", http.StatusInternalServerError, "The client went away.")
	}
	if e == nil {
		s.opt.Logger.Error("request failed", "request", q.caller.RequestID, "path", q.URL.Path, "error", err)
		e = answer("ServiceException", http.StatusInternalServerError, "The service failed; its log says why.")
	}
	refuseREST(w, e)
}

// refuseREST writes an error (spec neighbours.md 2.1).
func refuseREST(w http.ResponseWriter, e *aws.Error) {
	e = aws.RESTError(e)
	who := "User"
	if e.Status >= http.StatusInternalServerError {
		who = "Service"
	}
	fields := map[string]string{"Type": who, "Message": e.Message}
	for _, f := range e.Extra {
		fields[f.Name] = f.Value
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", e.Code)
	if e.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(e.Status)
	// Who is not there any more to read this does not miss it.
	_ = json.MarshalWrite(w, fields, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}

func unknownOperation(*request) (int, any, error) {
	return 0, nil, answer("UnknownOperationException", http.StatusNotFound, "There is no such operation.")
}

// decode reads the body of a request.
func (q *request) decode(in any) error {
	body := q.body
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, in); err != nil {
		return answer("InvalidRequestContentException", http.StatusBadRequest,
			"Could not parse request body into json: "+clip(err.Error()))
	}
	return nil
}
