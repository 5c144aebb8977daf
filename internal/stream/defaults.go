package stream

// The defaults of an S3 destination (spec sections 2.3 and 3.2).
const (
	defaultSizeInMBs         = 5
	defaultIntervalInSeconds = 300
)

// noEncryption is the only value of NoEncryptionConfig.
const noEncryption = "NoEncryption"

// Destination is what is stored and shown of the destination that c asks for: c with the
// defaults filled in. c has passed Check.
func (c *Configuration) Destination() *S3Destination {
	if c.ExtendedS3 != nil {
		return c.ExtendedS3.stored()
	}
	return c.S3.legacy().stored()
}

// stored is the destination of a stream that c asks for. Backups have no mode of their own.
func (c *S3Configuration) stored() *S3Destination {
	d := c.destination()
	d.S3BackupMode = or(c.S3BackupMode, BackupDisabled)
	return d
}

// Definition is the stream that c asks for, as far as c decides it: the registry adds what
// makes it an incarnation. c has passed Check.
func (c *Configuration) Definition() *Definition {
	d := &Definition{Name: c.Name, Type: c.source(), Tags: UniqueTags(c.Tags), S3: c.Destination()}
	if c.DirectPut != nil {
		d.ThroughputHint = c.DirectPut.ThroughputHintInMBs
	}
	if c.Encryption != nil {
		d.Encryption = Encryption{Status: EncryptionEnabling, Key: new(c.Encryption.Key())}
	}
	return d
}

// source is the stream's type; DirectPut when none was sent.
func (c *Configuration) source() Type {
	if c.Type == "" {
		return DirectPut
	}
	return c.Type
}

func (c *S3Configuration) destination() *S3Destination {
	d := &S3Destination{
		RoleARN:           c.RoleARN,
		BucketARN:         c.BucketARN,
		Prefix:            c.Prefix,
		ErrorOutputPrefix: c.ErrorOutputPrefix,
		BufferingHints: BufferingHints{
			SizeInMBs:         c.sizeInMBs(),
			IntervalInSeconds: or(c.BufferingHints.IntervalInSeconds, defaultIntervalInSeconds),
		},
		CompressionFormat:       or(c.CompressionFormat, Uncompressed),
		EncryptionConfiguration: or(c.Encryption, EncryptionConfiguration{NoEncryptionConfig: new(noEncryption)}),
		CloudWatchLogging:       or(c.Logging, CloudWatchLoggingOptions{}),
		Processing:              c.Processing.stored(c.RoleARN),
		Conversion:              c.Conversion,
		Partitioning:            c.Partitioning.stored(),
		FileExtension:           c.FileExtension,
		CustomTimeZone:          c.CustomTimeZone,
	}
	if c.S3Backup != nil {
		d.S3Backup = c.S3Backup.legacy().destination()
	}
	return d
}

// legacy is c without the members that the legacy shape does not have: to a client of that
// shape they are unknown members, which are ignored (spec section 1.1).
func (c *S3Configuration) legacy() *S3Configuration {
	l := *c
	l.Processing, l.S3BackupMode, l.S3Backup = nil, nil, nil
	l.Conversion, l.Partitioning = nil, nil
	l.FileExtension, l.CustomTimeZone = nil, nil
	return &l
}

// or is *p, or else when p is nil.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
