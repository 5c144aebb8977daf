package kms

// alter changes a key that a user owns; managed keys are not theirs to change.
func (s *Service) alter(t target, fn func(k *key) error) error {
	if t.err != nil {
		return t.err
	}
	return s.update(t.id, func(k *key) error {
		if k.Managed != "" {
			return answer("AccessDeniedException", "%s is managed by AWS services and cannot be changed.", t.arn)
		}
		return fn(k)
	})
}

// alterLiving is alter for what a key that is pending deletion does not allow.
func (s *Service) alterLiving(t target, fn func(k *key) error) error {
	return s.alter(t, func(k *key) error {
		if k.State == pendingDeletion {
			return s.isPending(k)
		}
		return fn(k)
	})
}

// alterEnabled is alter for what only enabled keys allow.
func (s *Service) alterEnabled(t target, fn func(k *key) error) error {
	return s.alterLiving(t, func(k *key) error {
		if k.State == disabled {
			return s.isDisabled(k)
		}
		return fn(k)
	})
}

type keyInput struct{ named }

func (s *Service) enableKey(in *keyInput) (nothing, error) {
	return nothing{}, s.alterLiving(in.key, func(k *key) error {
		k.State = enabled
		return nil
	})
}

func (s *Service) disableKey(in *keyInput) (nothing, error) {
	return nothing{}, s.alterLiving(in.key, func(k *key) error {
		k.State = disabled
		return nil
	})
}

type scheduleInput struct {
	named
	PendingWindowInDays *int
}

func (in *scheduleInput) check(v *violations) {
	in.named.check(v)
	v.number("pendingWindowInDays", in.PendingWindowInDays, 7, 30)
}

type scheduleOutput struct {
	KeyID               string `json:"KeyId"`
	DeletionDate        seconds
	KeyState            state
	PendingWindowInDays int
}

func (s *Service) scheduleKeyDeletion(in *scheduleInput) (scheduleOutput, error) {
	out := scheduleOutput{KeyID: in.key.arn, KeyState: pendingDeletion, PendingWindowInDays: 30}
	if in.PendingWindowInDays != nil {
		out.PendingWindowInDays = *in.PendingWindowInDays
	}
	err := s.alterLiving(in.key, func(k *key) error {
		k.State, k.Deletion = pendingDeletion, s.opt.Now().AddDate(0, 0, out.PendingWindowInDays)
		out.DeletionDate = secondsOf(k.Deletion)
		return nil
	})
	return out, err
}

type cancelOutput struct {
	KeyID string `json:"KeyId"`
}

// cancelKeyDeletion leaves the key disabled.
func (s *Service) cancelKeyDeletion(in *keyInput) (cancelOutput, error) {
	err := s.alter(in.key, func(k *key) error {
		if k.State != pendingDeletion {
			return keyError(invalidState, "%s is not pending deletion.", in.key.arn)
		}
		if k.gone(s.opt.Now()) {
			return s.noKey(k.ID)
		}
		k.State = disabled
		return nil
	})
	return cancelOutput{in.key.arn}, err
}
