package logs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Forms of names (spec neighbours.md section 6.1).
var (
	groupForm      = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]+$`)
	streamForm     = regexp.MustCompile(`^[^:*]*$`)
	identifierForm = regexp.MustCompile(`^[\w#+=/:,.@*-]*$`)
)

// Most folder names are the escaped name. Those that file systems would not take are cut.
const (
	longestFolder = 200
	cutFolder     = 120
)

// folderName gives the folder of a group or stream: its name with all but letters, digits
// and -_ as %XX, or the beginning of that, ~ and a hash.
func folderName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	escaped := b.String()
	if len(escaped) <= longestFolder {
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return escaped[:cutFolder] + "~" + hex.EncodeToString(sum[:])
}

// groupARN names a group.
func (s *Service) groupARN(group string) string {
	return fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", s.opt.Partition, s.opt.Region, s.opt.Account, group)
}

// streamARN names a stream. Without one, it is what permissions for the group are asked for,
// so that policies for log-group:NAME:* hold.
func (s *Service) streamARN(group, stream string) string {
	return s.groupARN(group) + ":log-stream:" + stream
}

// groupOf gives the name of the group that an identifier, a name or an ARN, is of. What is
// of another account or region gives a name that no group has.
func (s *Service) groupOf(identifier string) string {
	if !strings.HasPrefix(identifier, "arn:") {
		return identifier
	}
	name, ok := strings.CutPrefix(strings.TrimSuffix(identifier, ":*"), s.groupARN(""))
	if !ok {
		return identifier
	}
	return name
}
