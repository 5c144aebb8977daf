package conversion

import (
	"testing"

	"hydrant/e2e/server"
)

func TestMain(m *testing.M) { server.Main(m) }
