package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"time"
)

// keepAliveEvery is how long a client waits for a sign of life while an object is put
// together.
const keepAliveEvery = 10 * time.Second

// slowAnswer is an answer that may have to begin before its content is known.
type slowAnswer struct {
	c     *call
	begun bool
}

// keepAlive sends a space, which XML allows after its declaration. That the client is gone
// shows when the answer is finished.
func (a *slowAnswer) keepAlive() {
	if !a.begun {
		a.begun = true
		a.c.w.Header().Set("Content-Type", "application/xml")
		a.c.w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(a.c.w, xml.Header)
	}
	_, _ = io.WriteString(a.c.w, " ")
	_ = http.NewResponseController(a.c.w).Flush()
}

// finish sends the content.
func (a *slowAnswer) finish(document any) error {
	if !a.begun {
		return writeDocument(a.c.w, http.StatusOK, document)
	}
	body, err := encodeDocument(document)
	if err != nil {
		return err
	}
	_, err = a.c.w.Write(body[len(xml.Header):])
	return connectionError(err)
}

// fail sends an error, with its status if it is not too late for that.
func (a *slowAnswer) fail(err error) error {
	if !a.begun {
		return err
	}
	e, hidden := apiError(err)
	if hidden {
		a.c.s.log.Error("an upload could not be completed", "path", a.c.r.URL.Path, "request", a.c.id, "error", err)
	}
	return a.finish(newErrorDocument(e, a.c.r.URL.Path, a.c.id))
}
