//go:build purego_base64

package firehose

import "encoding/base64"

// decodeBase64 decodes in pure Go, for whoever does not trust the vector instructions.
func decodeBase64(dst, src []byte) (int, error) { return base64.StdEncoding.Decode(dst, src) }
