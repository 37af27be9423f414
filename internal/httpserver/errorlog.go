package httpserver

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// errorLogInterval is the shortest time between two warnings of one kind.
const errorLogInterval = time.Minute

// errorLog is the destination of the error log of an http.Server. It logs each kind of error at
// most once a minute as a warning, because callers can cause them, and the others at the level
// debug.
type errorLog struct {
	logger                    *slog.Logger
	handshakes, accept, other rate.Sometimes
}

func newErrorLog(logger *slog.Logger) *log.Logger {
	return log.New(&errorLog{
		logger:     logger,
		handshakes: rate.Sometimes{Interval: errorLogInterval},
		accept:     rate.Sometimes{Interval: errorLogInterval},
		other:      rate.Sometimes{Interval: errorLogInterval},
	}, "", 0)
}

// Write logs one message.
func (l *errorLog) Write(message []byte) (int, error) {
	text := strings.TrimSuffix(string(message), "\n")
	level, line := slog.LevelDebug, &l.other
	switch {
	case isProbe(text):
		line = nil
	case strings.HasPrefix(text, handshakeError):
		line = &l.handshakes
	case strings.HasPrefix(text, "http: Accept error: "):
		line = &l.accept
	}
	if line != nil {
		line.Do(func() { level = slog.LevelWarn })
	}
	l.logger.LogAttrs(context.Background(), level, "HTTP server error", slog.String("error", text))
	return len(message), nil
}

const handshakeError = "http: TLS handshake error from "

// isProbe reports whether a message is about a connection that ended before or during the TLS
// handshake. Load balancers and monitors open connections and close them at once.
func isProbe(text string) bool {
	return strings.HasPrefix(text, handshakeError) &&
		(strings.HasSuffix(text, ": EOF") || strings.HasSuffix(text, ": connection reset by peer"))
}
