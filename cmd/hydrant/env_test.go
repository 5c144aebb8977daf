package main

import "testing"

func TestADirectoryIsShownAsAShellReadsIt(t *testing.T) {
	for dir, want := range map[string]string{
		"hydrant-data":     "hydrant-data",
		"/var/lib/hydrant": "/var/lib/hydrant",
		"my data":          "'my data'",
		"it's":             `'it'\''s'`,
		"$HOME":            "'$HOME'",
		"":                 "''",
	} {
		if got := word(dir); got != want {
			t.Errorf("%q: %s, want %s", dir, got, want)
		}
	}
}
