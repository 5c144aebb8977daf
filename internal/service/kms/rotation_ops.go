package kms

// usualRotation is how many days lie between rotations if nobody says otherwise.
const usualRotation = 365

type enableRotationInput struct {
	named
	RotationPeriodInDays *int
}

func (in *enableRotationInput) check(v *violations) {
	in.named.check(v)
	v.number("rotationPeriodInDays", in.RotationPeriodInDays, 90, 2560)
}

func (s *Service) enableKeyRotation(in *enableRotationInput) (nothing, error) {
	return nothing{}, s.alterEnabled(in.key, func(k *key) error {
		days := usualRotation
		if in.RotationPeriodInDays != nil {
			days = *in.RotationPeriodInDays
		}
		if k.Rotation.Days != days {
			k.Rotation = rotation{Days: days, Next: s.opt.Now().AddDate(0, 0, days)}
		}
		return nil
	})
}

func (s *Service) disableKeyRotation(in *keyInput) (nothing, error) {
	return nothing{}, s.alterEnabled(in.key, func(k *key) error {
		k.Rotation = rotation{}
		return nil
	})
}

type rotationOutput struct {
	KeyID                string `json:"KeyId"`
	KeyRotationEnabled   bool
	RotationPeriodInDays int     `json:",omitzero"`
	NextRotationDate     seconds `json:",omitzero"`
}

func (s *Service) getKeyRotationStatus(in *keyInput) (rotationOutput, error) {
	k, err := s.existing(in.key)
	if err != nil {
		return rotationOutput{}, err
	}
	if k.State == pendingDeletion {
		return rotationOutput{}, s.isPending(k)
	}
	out := rotationOutput{KeyID: in.key.arn}
	if k.Rotation.Days > 0 {
		out.KeyRotationEnabled, out.RotationPeriodInDays = true, k.Rotation.Days
		out.NextRotationDate = secondsOf(k.Rotation.Next)
	}
	return out, nil
}
