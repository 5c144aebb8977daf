//go:build !purego_base64

package firehose

import "github.com/segmentio/asm/base64"

// decodeBase64 decodes with the processor's vector instructions where it has them. Like
// the standard library it takes padding as required and ignores line breaks.
func decodeBase64(dst, src []byte) (int, error) { return base64.StdEncoding.Decode(dst, src) }
