package node

import (
	"io"
	"log/slog"

	"hydrant/internal/config"
	"hydrant/internal/telemetry"
)

// NewLogger returns the logger that the configuration asks for.
func NewLogger(w io.Writer, c config.Config) (*slog.Logger, error) {
	return telemetry.NewLogger(w, c.Log.Format, c.Log.Level)
}
