package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

func parseListen(written string) (string, error) {
	host, port, err := net.SplitHostPort(written)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || !isHost(host) {
		return "", mustBe("HOST:PORT with a port from 0 to 65535 and the host optional", written)
	}
	return written, nil
}

func parseAdminListen(written string) (string, error) {
	if written == "" {
		return "", nil
	}
	return parseListen(written)
}

// isHost reports whether host is empty, an IP address, or a string of the characters of host names.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// parseBaseURL does not show the value in its errors, because a URL may contain a password.
func parseBaseURL(written string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(written, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()) || u.Hostname() == "" ||
		u.User != nil || strings.ContainsAny(written, "?#") || strings.ContainsFunc(written, unicode.IsSpace) {
		return nil, errors.New("must be an absolute http or https URL with a host and without user, query or fragment")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("must be a URL with a port from 1 to 65535, or none")
		}
	}
	return u, nil
}

func parseDate(written string) (string, error) {
	if _, err := time.Parse(time.DateOnly, written); err != nil {
		return "", mustBe("a date YYYY-MM-DD", written)
	}
	return written, nil
}

func parseBool(written string) (bool, error) {
	on, err := strconv.ParseBool(written)
	if err != nil {
		return false, mustBe("true or false", written)
	}
	return on, nil
}

func parseDuration(written string) (time.Duration, error) {
	d, err := time.ParseDuration(written)
	if err != nil || d <= 0 || d > maxDuration {
		return 0, mustBe("a duration with a unit, such as 10s, above 0 and at most 24h", written)
	}
	return d, nil
}

// parseDurationOrZero also accepts zero, which needs no unit.
func parseDurationOrZero(written string) (time.Duration, error) {
	d, err := time.ParseDuration(written)
	if err != nil || d < 0 || d > maxDuration {
		return 0, mustBe("a duration with a unit, such as 2s, at most 24h, or 0", written)
	}
	return d, nil
}

// parseBasePath returns the path without the slash at its end, so "" for "/".
func parseBasePath(written string) (string, error) {
	allowed := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("-._~/", r)
	}
	base := strings.TrimSuffix(written, "/")
	if written != "" && written[0] != '/' || base != "" && (path.Clean(base) != base || base == "/" || strings.ContainsFunc(base, func(r rune) bool { return !allowed(r) })) {
		return "", mustBe("a path such as /cvms, of letters, digits and -._~", written)
	}
	return base, nil
}

// parseNetworks accepts networks such as 10.0.0.0/8, and addresses.
func parseNetworks(written string) ([]netip.Prefix, error) {
	if written == "" {
		return nil, nil
	}
	var networks []netip.Prefix
	for network := range strings.SplitSeq(written, ",") {
		network = strings.TrimSpace(network)
		prefix, err := netip.ParsePrefix(network)
		if address, addressErr := netip.ParseAddr(network); addressErr == nil && address.Zone() == "" {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() || prefix != prefix.Masked() {
			return nil, mustBe("networks such as 10.0.0.0/8 or fd00::/8, or addresses, separated by commas", network)
		}
		networks = append(networks, prefix)
	}
	return networks, nil
}

// parseRedisURL does not show the value in its errors, because a URL may contain a password.
func parseRedisURL(written string) (string, error) {
	u, err := url.Parse(written)
	if written != "" && (err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "") {
		return "", errors.New("must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty")
	}
	return written, nil
}

// parseKey does not show the value in its errors.
func parseKey(written string) (key [32]byte, err error) {
	if written == "" {
		return key, nil
	}
	b, err := base64.StdEncoding.DecodeString(written)
	if err != nil || copy(key[:], b) != len(key) || len(b) != len(key) || key == [32]byte{} {
		return [32]byte{}, errors.New("must be 32 random bytes in base64, such as openssl rand -base64 32 prints")
	}
	return key, nil
}

// parseSecret returns a parser of a secret, which its errors describe and do not show.
func parseSecret(what string) func(string) (string, error) {
	return func(written string) (string, error) {
		if !isSecret(written) {
			return "", errors.New("must be " + what + ": printable ASCII without spaces, at most 8 KiB")
		}
		return written, nil
	}
}

// isSecret reports whether a value is empty or can be sent as a bearer token and as a header value
// of at most 8 KiB.
func isSecret(written string) bool {
	invalid := func(r rune) bool { return r <= ' ' || r > '~' }
	return len("Bearer ")+len(written) <= 8<<10 && !strings.ContainsFunc(written, invalid)
}

// parseCount returns a parser of whole numbers from 1 to limit.
func parseCount(limit int) func(string) (int, error) {
	return func(written string) (int, error) {
		n, err := strconv.Atoi(written)
		if err != nil || n < 1 || n > limit {
			return 0, mustBe(fmt.Sprintf("a whole number from 1 to %d", limit), written)
		}
		return n, nil
	}
}

// parseOrigins accepts origins only as browsers write them, so that origins can be compared as
// strings.
func parseOrigins(written string) ([]string, error) {
	if written == "" {
		return nil, nil
	}
	var origins []string
	for origin := range strings.SplitSeq(written, ",") {
		origin = strings.TrimSpace(origin)
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isHost(u.Hostname()) ||
			origin != strings.ToLower(u.Scheme+"://"+u.Host) || u.Port() == defaultPort(u.Scheme) || strings.HasSuffix(u.Host, ":") {
			return nil, mustBe("origins such as https://app.example.org or http://localhost:3000, in lower case, "+
				"without path, wildcard or default port", origin)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// parseSize returns a parser of sizes from low to high, which allowed describes.
func parseSize(allowed string, low, high ByteSize) func(string) (ByteSize, error) {
	return func(written string) (ByteSize, error) {
		size, err := ParseByteSize(written)
		if err != nil || size < low || size > high {
			return 0, mustBe(allowed, written)
		}
		return size, nil
	}
}

func parseLogLevel(written string) (level slog.Level, err error) {
	if _, err := parseChoice("debug", "info", "warn", "error")(written); err != nil {
		return 0, err
	}
	return level, level.UnmarshalText([]byte(written))
}

// parseChoice returns a parser that accepts the choices.
func parseChoice(choices ...string) func(string) (string, error) {
	return func(written string) (string, error) {
		if slices.Contains(choices, written) {
			return written, nil
		}
		return "", mustBe(enumerate(choices), written)
	}
}

// enumerate joins the choices, of which there are at least two: "a, b or c".
func enumerate(choices []string) string {
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}
