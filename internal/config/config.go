// Package config is the server's file: YAML in which every setting has a default, so that
// an empty file, or none, is a working node on this machine alone. The comments on the
// fields of Config are its manual; docs/configuration.md shows a whole file.
//
//   - Setting: one key of the file, written with dots from the top: log.level.
//   - Endpoint: where a neighbour (S3, …) is reached, instead of the one built in.
//   - Size: a number of bytes, written with its unit: 256MiB.
//
// Defaults gives the settings of an empty file, Load reads a file over them, and the
// command lays its flags over both, so that a flag beats the file and the file beats the
// default. Validate is called last, on what came out.
package config

import "log/slog"

// Config is the whole file.
type Config struct {
	// Data is the data directory: the journal, the built-in object store and the root
	// credentials. It is made at the first start. Relative paths start at the working
	// directory. Default hydrant-data.
	Data string `yaml:"data"`
	// Listen is the address of all AWS APIs, host:port; port 0 takes a free one.
	// Default 127.0.0.1:4573.
	Listen string `yaml:"listen"`
	// Console is the address of health, metrics and the console. Default 127.0.0.1:4574.
	Console string `yaml:"console"`
	// Insecure allows addresses that other machines can reach without TLS, and a KMS that is
	// asked without it. Records, or data keys, then cross the network readable for everyone
	// on it; requests are signed all the same. Default false.
	Insecure bool `yaml:"insecure"`
	// TLS is the certificate that both listeners show; without one they speak plain HTTP.
	TLS TLS `yaml:"tls"`
	// Region is the only region whose signatures are taken, and the one in ARNs.
	// Default us-east-1.
	Region string `yaml:"region"`
	// Account is the twelve digits in ARNs. Default 000000000000.
	Account string `yaml:"account"`
	// Memory bounds the whole process: buffers, engine caches and the Go heap, whatever
	// arrives. At least 128MiB. Default 256MiB. docs/memory.md says who may hold how much.
	Memory Size `yaml:"memory"`
	// Log is what the node writes to standard error.
	Log Log `yaml:"log"`
	// Endpoints uses other servers instead of the built-in neighbours, by service. Known
	// services: glue, kms, lambda, logs, s3.
	Endpoints map[string]Endpoint `yaml:"endpoints"`
	// Delivery is how objects are made.
	Delivery Delivery `yaml:"delivery"`
	// Storage is how much disk the journal may take.
	Storage Storage `yaml:"storage"`
	// Quotas are how many streams there may be and how much each may take.
	Quotas Quotas `yaml:"quotas"`
}

// TLS is a certificate and its key, PEM files. Both or none are given.
type TLS struct {
	// Cert is the certificate, followed by those that signed it.
	Cert string `yaml:"cert"`
	// Key is its private key.
	Key string `yaml:"key"`
}

// Log says what is written and how.
type Log struct {
	// Level is the least that is written: debug, info, warn or error. Default info.
	Level slog.Level `yaml:"level"`
	// Format is text or json. Default text.
	Format string `yaml:"format"`
}

// Endpoint is a server that is used instead of a built-in neighbour.
type Endpoint struct {
	// URL is where it answers, http or https, without a path. A KMS on another machine is
	// reached by https, for data keys come from there in plain; insecure lifts that.
	URL string `yaml:"url"`
	// Region is what requests to it are signed for. Default: the node's region.
	Region string `yaml:"region"`
	// PathStyle, of s3 only, puts the bucket into the path instead of the host name.
	// Default: true, except for Amazon's own endpoints.
	PathStyle *bool `yaml:"pathStyle"`
	// AccessKey and SecretKey are the credentials that the node itself uses there. Without
	// them the AWS environment variables and profiles are asked, as every AWS tool does.
	AccessKey string `yaml:"accessKey"`
	SecretKey Secret `yaml:"secretKey"`
	// CAFile is a PEM file of the authorities to trust besides the system's.
	CAFile string `yaml:"caFile"`
	// InsecureSkipVerify takes any certificate: whoever sits between can read and change
	// what is delivered, and can learn what the node may do. For trying things out only.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`
	// ACL, of s3 only, sends the header x-amz-acl: bucket-owner-full-control with each object,
	// as Firehose does. Some stores refuse it. Default true.
	ACL *bool `yaml:"acl"`
	// ServerSideEncryption, of s3 only, is what the store is asked to encrypt objects with
	// whose stream names no KMS key: AES256, or nothing. Default: nothing, which leaves it to
	// the bucket.
	ServerSideEncryption string `yaml:"serverSideEncryption"`
}

// Delivery is how objects are made.
type Delivery struct {
	// GzipLevel is how hard GZIP objects are compressed, 1 (fast) to 9 (small). Level 6
	// costs more than twice the CPU of level 1 for objects about a tenth smaller. Default 1.
	GzipLevel int `yaml:"gzipLevel"`
	// SmallBuffers allows streams with format conversion or dynamic partitioning to have buffers
	// of less than 64 MB, and partitions to be delivered within a minute. Files get smaller, and
	// queries over them slower. Default false, as at Amazon.
	SmallBuffers bool `yaml:"smallBuffers"`
}

// Storage is how much disk the journal may take. When a bound is reached, producers are
// told to slow down and nothing that was acknowledged is lost; delivery goes on and makes
// room.
type Storage struct {
	// MaxBytes bounds the journal's own files. Default 0: only the disk bounds them.
	MaxBytes Size `yaml:"maxBytes"`
	// MinFree is the free space of the file system that is left alone. Default 256MiB.
	MinFree Size `yaml:"minFree"`
}

// Quotas bound the use of the node. Who exceeds them gets Firehose's own errors: Slow down,
// for the whole request or for the records of a batch behind the first ones.
type Quotas struct {
	// Streams is how many streams there may be. Default 5000.
	Streams int `yaml:"streams"`
	// ControlPerSecond is how many calls of each operation other than PutRecord and
	// PutRecordBatch are taken in a second. Who calls more often gets ThrottlingException.
	// Default 0: any number. Amazon's is 5.
	ControlPerSecond int `yaml:"controlPerSecond"`
	// Default is the quota of each stream.
	Default Quota `yaml:"default"`
	// PerStream are the quotas of streams that have one of their own, by name. It replaces
	// the default as a whole: what it leaves out is unlimited.
	PerStream map[string]Quota `yaml:"perStream"`
}

// Quota is what a stream may take in a second, by PutRecord and PutRecordBatch together. 0,
// the default, is unlimited. Amazon's are 500,000 records, 2,000 requests and 5MiB in its
// largest regions, 100,000, 1,000 and 1MiB in the others.
type Quota struct {
	// Records per second.
	Records int `yaml:"records"`
	// Requests per second.
	Requests int `yaml:"requests"`
	// Bytes of records per second, raw.
	Bytes Size `yaml:"bytes"`
	// Partitions is how many partitions the stream may have open at once, if it is dynamically
	// partitioned. Records that would open another one go to the error output. Amazon's is 500.
	Partitions int `yaml:"partitions"`
}

// Of is the quota of the stream of a name.
func (q Quotas) Of(name string) Quota {
	if own, ok := q.PerStream[name]; ok {
		return own
	}
	return q.Default
}

// Defaults returns the settings of an empty file.
func Defaults() Config {
	return Config{
		Data:     "hydrant-data",
		Listen:   "127.0.0.1:4573",
		Console:  "127.0.0.1:4574",
		Region:   "us-east-1",
		Account:  "000000000000",
		Memory:   256 * mebibyte,
		Log:      Log{Level: slog.LevelInfo, Format: "text"},
		Delivery: Delivery{GzipLevel: 1},
		Storage:  Storage{MinFree: 256 * mebibyte},
		Quotas:   Quotas{Streams: 5000},
	}
}
