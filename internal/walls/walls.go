// Package walls holds the table of rooms and checks that the source tree keeps to it. It
// has no part in the running program: its test is the wall.
//
//   - Room: a folder under internal, or cmd/hydrant, or e2e, with one purpose.
//   - Wall: the rule that a room imports only the rooms its row of the table names.
//   - Guest: a module from outside, which only certain rooms may know.
//   - Breach: a place in the tree that keeps to no rule.
//
// Only the files of the program are held to the walls. Tests may import what they need:
// they judge a room from outside, often together with the rooms around it.
package walls

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Breach is one violation.
type Breach struct {
	Where string // file and line, or folder, relative to the module
	What  string // cause and next step
}

func (b Breach) String() string { return b.Where + ": " + b.What }

// A Table is the rules that a module is held to.
type Table struct {
	Module string // module path, as in go.mod
	Rooms  []Room
	Guests []Guest
}

// Check reads every Go file of a module and returns where it breaks the rules: an import
// across a wall, a guest in the wrong room, a package without a room, a package without a
// package comment. The error tells of files that cannot be read or parsed.
func (t Table) Check(tree fs.FS) ([]Breach, error) {
	packages, err := load(tree)
	if err != nil {
		return nil, err
	}
	var breaches []Breach
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		breaches = append(breaches, t.checkPackage(folder, packages[folder])...)
	}
	return breaches, nil
}

// checkPackage holds the package in one folder to the rules.
func (t Table) checkPackage(folder string, files []source) []Breach {
	breaches := checkComment(folder, files)
	room, ok := t.roomOf(folder)
	if !ok {
		return append(breaches, Breach{folder, "belongs to no room; find the room that should hold it, or give it a row in internal/walls/rooms.go"})
	}
	if slices.Contains(room.May, Everything) && !strings.HasPrefix(room.Path, "internal/") {
		return breaches // e2e holds no part of the program
	}
	for _, f := range files {
		if f.test {
			continue
		}
		for _, i := range f.imports {
			if what := t.judge(room, i.path); what != "" {
				breaches = append(breaches, Breach{f.name + ":" + strconv.Itoa(i.line), what})
			}
		}
	}
	return breaches
}

// judge says what is wrong with a room importing a package, or "" when nothing is.
func (t Table) judge(room Room, imported string) string {
	if own, ok := strings.CutPrefix(imported, t.Module+"/"); ok {
		target, found := t.roomOf(own)
		if found && (target.Path == room.Path || allows(room.May, target.Path)) {
			return ""
		}
		return fmt.Sprintf("%s may not import %s; it may import %s", room.Path, own, list(room.May))
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	guest, ok := t.guestOf(imported)
	if !ok {
		return imported + " is no known guest; it needs a row in internal/walls/rooms.go and a reason in docs/decisions/0004-libraries.md"
	}
	if !allows(guest.Rooms, room.Path) {
		return fmt.Sprintf("%s may not know %s; that stays inside %s", room.Path, guest.Path, list(guest.Rooms))
	}
	return ""
}

// roomOf finds the room of a folder: the one with the longest path that covers it.
func (t Table) roomOf(folder string) (Room, bool) {
	return longest(t.Rooms, folder, func(r Room) string { return r.Path })
}

// guestOf finds the row of an imported package from outside.
func (t Table) guestOf(imported string) (Guest, bool) {
	return longest(t.Guests, imported, func(g Guest) string { return g.Path })
}

// longest returns the row whose path covers p and is longest.
func longest[Row any](rows []Row, p string, pathOf func(Row) string) (Row, bool) {
	var found Row
	length := -1
	for _, row := range rows {
		if at := pathOf(row); len(at) > length && (p == at || strings.HasPrefix(p, at+"/")) {
			found, length = row, len(at)
		}
	}
	return found, length >= 0
}

// allows reports whether a list of rooms, written without "internal/", names one.
func allows(rooms []string, roomPath string) bool {
	name := strings.TrimPrefix(roomPath, "internal/")
	return slices.Contains(rooms, Everything) || slices.Contains(rooms, name)
}

func list(rooms []string) string {
	if len(rooms) == 0 {
		return "no room of Hydrant"
	}
	return strings.Join(rooms, ", ")
}

// checkComment wants one package comment. Godoc shows it first, so it starts with the
// package's name; commands and packages of tests alone may start as they like.
func checkComment(folder string, files []source) []Breach {
	testsOnly := !slices.ContainsFunc(files, func(f source) bool { return !f.test })
	for _, f := range files {
		if f.test && !testsOnly {
			continue
		}
		if f.comment != "" && (testsOnly || f.pkg == "main" || strings.HasPrefix(f.comment, "Package "+f.pkg+" ")) {
			return nil
		}
	}
	name := path.Base(folder)
	return []Breach{{folder, fmt.Sprintf("lacks a package comment that starts with %q and explains its words", "Package "+name)}}
}
