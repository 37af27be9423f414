package httpserver

import "net/http"

func healthz(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, "ok")
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	switch s.state.Load() {
	case starting:
		writeStatus(w, http.StatusServiceUnavailable, "starting")
	case ready:
		writeStatus(w, http.StatusOK, "ready")
	default:
		writeStatus(w, http.StatusServiceUnavailable, "draining")
	}
}

func writeStatus(w http.ResponseWriter, status int, value string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, map[string]string{"status": value})
}
