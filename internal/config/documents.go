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

// maxDocuments is the size limit of a file of documents, in bytes.
const maxDocuments = 64 << 20

// prefixSHA256 is the prefix of an id that is the SHA-256 of its document, in hex.
const prefixSHA256 = "sha256:"

// idPattern matches the ids that GraphQL over HTTP allows.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9._~:-]{1,200}$`)

var hexPattern = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

// parseDocuments reads the documents of a file by their ids. Its errors do not contain documents.
func parseDocuments(written string) (map[string]string, error) {
	content, err := readFile(written, maxDocuments)
	if err != nil {
		return nil, fmt.Errorf("must be a readable file, not %s: %w", quote(written), err)
	}
	documents, err := decodeDocuments(content)
	if err != nil {
		return nil, fmt.Errorf("must be a file written by relay-compiler, graphql-codegen or genqlient, not %s: %w",
			quote(written), err)
	}
	return documents, nil
}

// readFile reads a file of at most limit bytes. Its errors do not contain the name.
func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err == nil {
		defer func() { _ = file.Close() }() // it was only read
		var content []byte
		if content, err = io.ReadAll(io.LimitReader(file, limit+1)); int64(len(content)) > limit {
			return nil, fmt.Errorf("it is larger than %s", ByteSize(limit))
		} else if err == nil {
			return content, nil
		}
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, path.Err
	}
	return nil, err
}

// decodeDocuments decodes an object that maps ids to documents, or genqlient's list of operations.
func decodeDocuments(content []byte) (map[string]string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(content, &members); err != nil || members == nil {
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
				return nil, fmt.Errorf("operation %d in it has no query", i+1)
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

// document decodes one document. If the id is a hash, it must be the hash of the document.
func document(id string, member json.RawMessage) (string, error) {
	if !idPattern.MatchString(id) {
		return "", fmt.Errorf("%s in it is not a valid id", quote(id))
	}
	var decoded string
	if err := json.Unmarshal(member, &decoded); err != nil || decoded == "" {
		return "", fmt.Errorf("the value of %s in it is not a document", quote(id))
	}
	digest, prefixed := strings.CutPrefix(id, prefixSHA256)
	size := 0 // digits of the hash; 0 if the id is not a hash
	if hexPattern.MatchString(digest) {
		size = len(digest)
	}
	var want string
	switch {
	case prefixed, size == 2*sha256.Size:
		want = fmt.Sprintf("%x", sha256.Sum256([]byte(decoded)))
	case size == 2*sha1.Size:
		want = fmt.Sprintf("%x", sha1.Sum([]byte(decoded)))
	case size == 2*md5.Size:
		want = fmt.Sprintf("%x", md5.Sum([]byte(decoded)))
	default: // a name
		return decoded, nil
	}
	if !strings.EqualFold(digest, want) {
		return "", fmt.Errorf("%s in it is not the hash of its document", quote(id))
	}
	return decoded, nil
}
