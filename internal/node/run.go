package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// AWS is the handler of all AWS APIs.
func (n *Node) AWS() http.Handler { return n.server }

// Console is the handler of health and metrics.
func (n *Node) Console() http.Handler { return n.consoleHandler() }

// Run drives streams and delivery until ctx ends, without listeners. It returns after all
// it started has ended; its error says that the node cannot go on.
func (n *Node) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.registry.Run(ctx, n.hooks()) })
	g.Go(func() error { return n.stage.Run(ctx) })
	g.Go(func() error { return n.delivery.Run(ctx) })
	g.Go(func() error { return n.errors.Run(ctx) })
	if n.logs != nil {
		g.Go(func() error { return n.logs.Run(ctx) })
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-n.failure:
			return fmt.Errorf("the journal has failed and the node must stop; what was acknowledged is kept: %w", err)
		}
	})
	return g.Wait()
}

// Serve listens, runs the node, and calls ready once requests are answered. When ctx ends
// it stops in the order of a record's hops: the door is closed and requests in progress
// are answered, deliveries stop where they are (the next start goes on from there), and
// Close then closes the journal.
func (n *Node) Serve(ctx context.Context, ready func(Address)) error {
	c := n.opt.Config
	listener, err := n.listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	console, err := n.listen(ctx, c.Console)
	if err != nil {
		return err
	}
	defer console.Close()
	a := Address{Listen: listener.Addr().String(), Console: console.Addr().String(), TLS: c.TLS.Cert != "", Region: c.Region}
	if err := a.leave(c.Data); err != nil {
		// On a full disk delivery is what makes room, so this must not keep the node from it.
		n.log.Warn("the node serves, but hydrant env and hydrant doctor do not find its new address", "error", err)
	}
	// Delivery outlives the door: what is accepted last may still be on its way out.
	g, inner := errgroup.WithContext(context.WithoutCancel(ctx))
	life, end := context.WithCancel(inner)
	defer end()
	apis, pages := n.httpServer(n.server), n.httpServer(n.consoleHandler())
	g.Go(func() error { return serve(apis, listener) })
	g.Go(func() error { return serve(pages, console) })
	g.Go(func() error { return n.Run(life) })
	n.ready.Store(true)
	ready(a)
	select {
	case <-ctx.Done():
	case <-inner.Done():
	}
	n.ready.Store(false)
	n.log.Info("stopping: new requests are refused, those in progress are answered")
	shutdown(apis)
	end()
	shutdown(pages)
	return g.Wait()
}

func (n *Node) listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w (is another node running? choose another address with --listen and --console)", addr, err)
	}
	cert := n.opt.Config.TLS
	if cert.Cert == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load the TLS certificate: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"},
	}), nil
}

// httpServer speaks HTTP/1.1 only: on the data port HTTP/2 costs half as much CPU again
// and holds large bodies back behind its windows.
func (n *Node) httpServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.With("room", "http").Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	return s
}

func serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// shutdownGrace is how long requests in progress may take to end.
const shutdownGrace = 10 * time.Second

// shutdown answers what is in progress and then closes all connections.
func shutdown(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close() // the listener is closed already; the connections die with the process
	}
}

// consoleHandler serves health and metrics, which are open to everyone who reaches them.
func (n *Node) consoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !n.ready.Load() {
			say(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", n.metrics.Handler())
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // who asked may have gone
}
