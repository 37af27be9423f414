package config

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// maxDocuments bounds a file of documents, in bytes.
const maxDocuments = 64 << 20

// prefixSHA256 begins an id that is the SHA-256 of its document, in hex.
const prefixSHA256 = "sha256:"

// idPattern is what GraphQL over HTTP allows in an id.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9._~:-]{1,200}$`)

var hexPattern = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

// parseDocuments reads the documents of the file that was named, by their ids. Nothing of the documents is in its errors.
func parseDocuments(written string) (map[string]string, error) {
	text, err := readFile(written)
	if err != nil {
		return nil, fmt.Errorf("must be a file that can be read, not %s: %w", quote(written), err)
	}
	documents, err := decodeDocuments(text)
	if err != nil {
		return nil, fmt.Errorf("must be a file that relay-compiler, graphql-codegen or genqlient wrote, not %s: %w", quote(written), err)
	}
	return documents, nil
}

// readFile reads a file. Its errors do not name it.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err == nil {
		defer func() { _ = file.Close() }() // it was only read
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(file, maxDocuments+1)); len(text) > maxDocuments {
			return nil, fmt.Errorf("it is larger than %d MiB", maxDocuments>>20)
		} else if err == nil {
			return text, nil
		}
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, path.Err
	}
	return nil, err
}

// decodeDocuments reads an object of texts by their ids, or genqlient's list of operations.
func decodeDocuments(text []byte) (map[string]string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, errors.New("it is not a JSON object")
	}
	documents := make(map[string]string, len(members))
	if list := members["operations"]; len(list) > 0 && list[0] == '[' {
		var operations []struct{ Query string }
		if err := json.Unmarshal(list, &operations); err != nil {
			return nil, errors.New("its operations are not a list of objects")
		}
		for i, operation := range operations {
			if operation.Query == "" {
				return nil, fmt.Errorf("operation %d of it has no query", i+1)
			}
			documents[fmt.Sprintf("%s%x", prefixSHA256, sha256.Sum256([]byte(operation.Query)))] = operation.Query
		}
	} else {
		for _, id := range slices.Sorted(maps.Keys(members)) {
			document, err := document(id, members[id])
			if err != nil {
				return nil, err
			}
			documents[id] = document
		}
	}
	if len(documents) == 0 {
		return nil, errors.New("it has no documents")
	}
	return documents, nil
}

// document reads one document, and compares it with its id where that is a hash.
func document(id string, member json.RawMessage) (string, error) {
	if !idPattern.MatchString(id) {
		return "", fmt.Errorf("%s in it is not a document's id", quote(id))
	}
	var text string
	if err := json.Unmarshal(member, &text); err != nil || text == "" {
		return "", fmt.Errorf("what it has under %s is not a document's text", quote(id))
	}
	digest, prefixed := strings.CutPrefix(id, prefixSHA256)
	size := 0 // of a hash in hex
	if hexPattern.MatchString(digest) {
		size = len(digest)
	}
	var want string
	switch {
	case prefixed, size == 2*sha256.Size:
		want = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	case size == 2*sha1.Size:
		want = fmt.Sprintf("%x", sha1.Sum([]byte(text)))
	case size == 2*md5.Size:
		want = fmt.Sprintf("%x", md5.Sum([]byte(text)))
	default: // a name of somebody's own
		return text, nil
	}
	if !strings.EqualFold(digest, want) {
		return "", fmt.Errorf("%s in it is not the hash of its text", quote(id))
	}
	return text, nil
}

func parseDocumentsMode(written string) (string, error) {
	switch written {
	case "off", "log", "enforce":
		return written, nil
	}
	return "", mustBe("off, log or enforce", written)
}
