// Checks a log of Postern's with Go's own sumdb packages, which share no line with it: the signed
// note, the tree over all entries, every tile, and the proofs in a file of cases.
//
//	check VKEY DIR CASES
//
// A case is a line: `inclusion SIZE ROOT INDEX HASHES` or `consistency SIZE ROOT OLD OLDROOT HASHES`, with
// hashes in base64, separated by commas; `false-` before it says that the check has to fail.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

func hash(text string) (h tlog.Hash) {
	raw, err := base64.StdEncoding.DecodeString(text)
	must(err)
	if len(raw) != len(h) {
		must(fmt.Errorf("a hash of %d bytes", len(raw)))
	}
	copy(h[:], raw)
	return h
}

func hashes(text string) (list []tlog.Hash) {
	for _, one := range strings.Split(text, ",") {
		if one != "" {
			list = append(list, hash(one))
		}
	}
	return list
}

// pathOf is the path of C2SP tlog-tiles, which has no height in it and calls data "entries".
func pathOf(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), "tile/8/")
	if rest := strings.TrimPrefix(path, "data/"); rest != path {
		path = "entries/" + rest
	}
	return "tile/" + path
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	must(err)
	dir := os.Args[2]
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		must(fmt.Errorf("not a checkpoint: %q", opened.Text))
	}
	size, root := number(lines[1]), hash(lines[2])

	// Every entry, from the bundles.
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := 256
		if size-n*256 < 256 {
			width = int(size - n*256)
		}
		bundle, err := os.ReadFile(filepath.Join(dir, pathOf(tlog.Tile{H: 8, L: -1, N: n, W: width})))
		must(err)
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	if int64(len(entries)) != size {
		must(fmt.Errorf("%d entries, and a size of %d", len(entries), size))
	}

	// The tree, as tlog makes it.
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for n, entry := range entries {
		more, err := tlog.StoredHashes(int64(n), entry, reader)
		must(err)
		stored = append(stored, more...)
	}
	ours, err := tlog.TreeHash(size, reader)
	must(err)
	if ours != root {
		must(fmt.Errorf("the root is %v, and Go's is %v", root, ours))
	}

	// Every tile.
	tiles := 0
	for _, tile := range tlog.NewTiles(8, 0, size) {
		wanted, err := tlog.ReadTileData(tile, reader)
		must(err)
		// NewTiles also names the narrower tiles of the sizes on the way, which nobody keeps.
		kept := tile
		if count := size >> (8 * uint(tile.L)); tile.W < 256 {
			kept.W = int(count % 256)
		}
		found, err := os.ReadFile(filepath.Join(dir, pathOf(kept)))
		must(err)
		if len(found) > len(wanted) {
			found = found[:len(wanted)]
		}
		if !bytes.Equal(found, wanted) {
			must(fmt.Errorf("tile %s differs", pathOf(tile)))
		}
		tiles++
	}

	text, err := os.ReadFile(os.Args[3])
	must(err)
	cases := 0
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		fields := strings.Split(line, " ")
		kind := strings.TrimPrefix(fields[0], "false-")
		size, root := number(fields[1]), hash(fields[2])
		var err error
		switch kind {
		case "inclusion":
			index := number(fields[3])
			leaf := tlog.RecordHash(entries[index])
			err = tlog.CheckRecord(hashes(fields[4]), size, root, index, leaf)
		case "consistency":
			err = tlog.CheckTree(hashes(fields[5]), size, root, number(fields[3]), hash(fields[4]))
		default:
			must(fmt.Errorf("unknown case %q", line))
		}
		if (err == nil) != (kind == fields[0]) {
			must(fmt.Errorf("%s: %v", line, err))
		}
		cases++
	}
	fmt.Printf("go: %d entries, %d tiles, %d proofs\n", size, tiles, cases)
}
