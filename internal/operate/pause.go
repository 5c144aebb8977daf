package operate

import (
	"context"

	"hydrant/internal/stream"
)

// pauseStream holds a stream. What is being delivered already becomes visible.
func (s *Service) pauseStream(ctx context.Context, d *stream.Definition) (streamOutput, error) {
	return s.setPaused(ctx, d, true)
}

// resumeStream lets a stream go.
func (s *Service) resumeStream(ctx context.Context, d *stream.Definition) (streamOutput, error) {
	return s.setPaused(ctx, d, false)
}

// setPaused stores whether a stream is paused; that it is already is no error. The version
// stays: it is that of the destination, and part of the names of objects.
func (s *Service) setPaused(ctx context.Context, d *stream.Definition, paused bool) (streamOutput, error) {
	err := s.opt.Streams.Edit(ctx, d.Name, func(d *stream.Definition) (bool, error) {
		if d.Status != stream.Active {
			return false, ErrNotActive
		}
		changed := d.Paused != paused
		d.Paused = paused
		return changed, nil
	})
	if err != nil {
		return streamOutput{}, err
	}
	now, ok := s.opt.Streams.Get(d.Name)
	if !ok {
		return streamOutput{}, ErrNoStream // deleted since
	}
	return streamOutput{s.look(ctx, now)}, nil
}
