package glue

import (
	"context"
	"fmt"
	"strings"

	"hydrant/internal/record"
)

// sweepStep is how many keys are removed at once.
const sweepStep = 256

// ofTable is what lies below a table's id, and ofDatabase below a database's.
func ofTable(id string) sweep {
	return sweep{[]string{versionKeys + id + "/", partitionKeys + id + "/"}}
}

func ofDatabase(id string) sweep { return sweep{[]string{tableKeys + id + "/"}} }

// sweepNow removes what a deletion has left. A failure is no failure of the deletion: the
// next start goes on.
func (s *Service) sweepNow(ctx context.Context, id string) {
	if err := s.sweep(context.WithoutCancel(ctx), sweepKeys+id); err != nil {
		s.opt.Logger.Warn("what belonged to a deleted table or database is still stored; the next start removes it", "id", id, "error", err)
	}
}

// sweepAll does the sweeps that are due. Those of databases bring about some of tables.
func (s *Service) sweepAll(ctx context.Context) error {
	for {
		keys, err := s.keys(ctx, sweepKeys, sweepStep)
		if err != nil {
			return fmt.Errorf("find interrupted deletions in the catalogue: %w", err)
		}
		if len(keys) == 0 {
			return nil
		}
		for _, k := range keys {
			if err := s.sweep(ctx, k.Key); err != nil {
				return fmt.Errorf("end an interrupted deletion in the catalogue: %w", err)
			}
		}
	}
}

// sweep does one sweep, in steps, and forgets it.
func (s *Service) sweep(ctx context.Context, key string) error {
	of, state, err := read[sweep](ctx, s, key)
	if err != nil || state == 0 {
		return err
	}
	for _, prefix := range of.Prefixes {
		for more := true; more && err == nil; {
			more, err = s.sweepSome(ctx, prefix)
		}
	}
	if err != nil {
		return err
	}
	return s.alter(ctx, func(w *writes) error {
		_, state, err := read[sweep](ctx, s, key)
		if err == nil && state != 0 {
			w.drop(key, state)
		}
		return err
	})
}

// sweepSome removes some keys below a prefix, and says whether there were any. What lies
// below a table goes before the table's head, which alone knows its id.
func (s *Service) sweepSome(ctx context.Context, prefix string) (bool, error) {
	found, err := s.states(ctx, prefix, sweepStep)
	if err != nil || len(found) == 0 {
		return false, err
	}
	if strings.HasPrefix(prefix, tableKeys) {
		for _, st := range found {
			var h head
			if err := decode(st, &h); err != nil {
				return false, err
			}
			for _, below := range ofTable(h.ID).Prefixes {
				for more := true; more; {
					if more, err = s.sweepSome(ctx, below); err != nil {
						return false, err
					}
				}
			}
		}
	}
	return true, s.alter(ctx, func(w *writes) error {
		for _, st := range found {
			now, err := s.opt.Log.State(ctx, st.Key)
			if err != nil {
				return err
			}
			if now.Version != 0 { // else another node has removed it
				w.drop(st.Key, now.Version)
			}
		}
		return nil
	})
}

// keys lists some keys below a prefix, without their values.
func (s *Service) keys(ctx context.Context, prefix string, most int) (found []record.State, err error) {
	err = s.opt.Log.States(ctx, prefix, func(st record.State) error {
		if len(found) == most {
			return record.ErrStop
		}
		found = append(found, record.State{Key: st.Key, Version: st.Version})
		return nil
	})
	return found, err
}

// states is keys with the values of heads, which are small.
func (s *Service) states(ctx context.Context, prefix string, most int) (found []record.State, err error) {
	err = s.opt.Log.States(ctx, prefix, func(st record.State) error {
		if len(found) == most {
			return record.ErrStop
		}
		kept := record.State{Key: st.Key, Version: st.Version}
		if strings.HasPrefix(prefix, tableKeys) {
			kept.Value = append([]byte(nil), st.Value...)
		}
		found = append(found, kept)
		return nil
	})
	return found, err
}
