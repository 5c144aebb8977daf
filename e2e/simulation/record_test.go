package simulation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

// A record says who it is, so that it is found in an object whatever stands beside it:
//
//	0   magic   4   "HYSI"
//	4   length  4   of the whole record
//	8   stream  4   number of the stream's name
//	12  client  4
//	16  serial  8   of the client, over all streams
//	24  filler
//	-4  CRC-32 (IEEE) of everything before
//
// A record with partition keys says the same as JSON, its numbers in hexadecimal:
//
//	{"hysi":"LENGTH STREAM CLIENT SERIAL","u":...,"x":"FILLER","crc":"CRC-32"}
//
// An empty record is no record to a reader; clients send some all the same.
const (
	magic      = "HYSI"
	headBytes  = 24
	leastBytes = headBytes + 4

	jsonMagic = `{"hysi":"`
	jsonHead  = len(jsonMagic) + 8 + 8 + 8 + 16 + 1
	jsonTail  = len(`","crc":"00000000"}`)
)

// name is who a record is.
type name struct {
	stream, client uint32
	serial         uint64
}

// filler is what records are filled with: some that compresses and some that does not.
type filler []byte

func newFiller(r *rand.Rand) filler {
	f := make(filler, 2<<20)
	for i := 0; i < len(f); {
		if r.IntN(3) == 0 {
			for range 4096 {
				if i < len(f) {
					f[i] = byte(r.Uint32())
					i++
				}
			}
			continue
		}
		i += copy(f[i:], fmt.Sprintf(`{"user":%d,"page":"/products/%d","ms":%d}`+"\n", r.IntN(1e6), r.IntN(500), r.IntN(3000)))
	}
	return f
}

// leastJSON is the size of the shortest record with these keys.
func leastJSON(k keys) int { return jsonHead + len(k.members()) + len(`,"x":"`) + jsonTail }

// json appends the record of that name, size and keys to dst.
func (f filler) json(dst []byte, n name, k keys, size, offset int) []byte {
	start := len(dst)
	dst = fmt.Appendf(dst, `%s%08x%08x%08x%016x"%s,"x":"`, jsonMagic, size, n.stream, n.client, n.serial, k.members())
	offset %= len(f) - size
	for _, c := range f[offset : offset+size-leastJSON(k)] {
		dst = append(dst, 'a'+c&15)
	}
	dst = append(dst, `","crc":"`...)
	return fmt.Appendf(dst, `%08x"}`, crc32.ChecksumIEEE(dst[start:]))
}

// parseHead reads who a record in JSON is, and its size.
func parseHead(b []byte) (n name, size int, err error) {
	var length uint32
	if len(b) < jsonHead {
		return n, 0, fmt.Errorf("%w: %d bytes of JSON", errNoRecord, len(b))
	}
	if _, err := fmt.Sscanf(string(b[len(jsonMagic):jsonHead]), `%08x%08x%08x%016x"`, &length, &n.stream, &n.client, &n.serial); err != nil {
		return n, 0, fmt.Errorf("%w: %q: %w", errNoRecord, b[:jsonHead], err)
	}
	return n, int(length), nil
}

// parseJSON takes a record in JSON off b.
func parseJSON(b []byte) (n name, size int, err error) {
	var sum uint32
	if n, size, err = parseHead(b); err != nil {
		return n, 0, err
	}
	if size < jsonHead+jsonTail || size > len(b) {
		return n, 0, fmt.Errorf("%w: length %d with %d bytes left", errNoRecord, size, len(b))
	}
	_, err = fmt.Sscanf(string(b[size-10:size]), `%08x"}`, &sum)
	if err != nil || sum != crc32.ChecksumIEEE(b[:size-10]) {
		return n, 0, fmt.Errorf("%w: checksum of a record of %d bytes", errNoRecord, size)
	}
	return n, size, nil
}

// record appends the record of that name and size to dst.
func (f filler) record(dst []byte, n name, size, offset int) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	dst = binary.BigEndian.AppendUint32(dst, n.stream)
	dst = binary.BigEndian.AppendUint32(dst, n.client)
	dst = binary.BigEndian.AppendUint64(dst, n.serial)
	offset %= len(f) - size
	dst = append(dst, f[offset:offset+size-leastBytes]...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

var errNoRecord = errors.New("these bytes are no whole record")

// parse takes the first record off b.
func parse(b []byte) (n name, size int, err error) {
	if bytes.HasPrefix(b, []byte(jsonMagic)) {
		return parseJSON(b)
	}
	if len(b) < leastBytes || string(b[:4]) != magic {
		return n, 0, fmt.Errorf("%w: %d bytes beginning with %q", errNoRecord, len(b), b[:min(len(b), 16)])
	}
	size = int(binary.BigEndian.Uint32(b[4:]))
	if size < leastBytes || size > len(b) {
		return n, 0, fmt.Errorf("%w: length %d with %d bytes left", errNoRecord, size, len(b))
	}
	if crc32.ChecksumIEEE(b[:size-4]) != binary.BigEndian.Uint32(b[size-4:]) {
		return n, 0, fmt.Errorf("%w: checksum of a record of %d bytes", errNoRecord, size)
	}
	n = name{
		stream: binary.BigEndian.Uint32(b[8:]),
		client: binary.BigEndian.Uint32(b[12:]),
		serial: binary.BigEndian.Uint64(b[16:]),
	}
	return n, size, nil
}
