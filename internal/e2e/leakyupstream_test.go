package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"cvmgraph/internal/demo"
)

// leakyUpstream is an upstream that sends its own secrets and the caller's back. The suffix of the
// token selects how.
type leakyUpstream struct {
	elsewhere atomic.Int64  // requests to the target of redirects
	arrived   chan struct{} // receives a value when a call of the fault "slow" arrives
}

// owned is the owner of each item. Without one, a filter by owner would be an error.
const owned = `"managed_user":{"id":1,"username":"u"}`

func (l *leakyUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != demo.ListPath {
		l.elsewhere.Add(1)
		return
	}
	all := fmt.Sprintf("%s %s %s %s", canaryUpstream, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("X-Phala-Workspace"))
	for _, name := range []string{"X-Request-Id", "Set-Cookie", "WWW-Authenticate", "Server", "Etag", "X-Error"} {
		w.Header().Set(name, canaryUpstream)
	}
	_, fault, _ := strings.Cut(r.Header.Get("Authorization"), canaryBearer+"-")
	var status int
	switch _, err := fmt.Sscanf(fault, "status-%d", &status); {
	case err == nil && status < 400:
		w.Header().Set("Location", "/"+canaryUpstream+"?"+strings.ReplaceAll(all, " ", "&"))
		w.WriteHeader(status)
	case err == nil:
		w.Header().Set("Retry-After", "1")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"detail":[{"loc":["query","user_id"],"msg":%q,"type":%[1]q,"input":%[1]q}],"error_code":%[1]q,"message":%[1]q,"request_id":%[1]q}`, all)
	case fault == "html":
		fmt.Fprintf(w, "<html>%s</html>", all)
	case fault == "truncated":
		w.Header().Set("Content-Length", "100000")
		io.WriteString(w, `{"items":[{"name":"`+all)
	case fault == "garbage":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(conn, all+"\r\n\r\n")
			_ = conn.Close()
		}
	case fault == "slow":
		select {
		case l.arrived <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	case fault == "flat":
		fmt.Fprintf(w, `{"items":[{"vm_uuid":%q,"resource":{}}],"total":1,"page":%s,"page_size":%s,"pages":1}`, all, r.FormValue("page"), r.FormValue("page_size"))
	case fault == "odd":
		fmt.Fprintf(w, `{"items":[{"hosted":{"id":[%q],"events":%[1]q,"configuration":%[1]q},"name":{"a":%[1]q},"vcpu":%[1]q,"public_urls":[%[1]q],"listed":%[1]q,%[2]s}],"total":1,"page":%[3]s,"page_size":%[4]s,"pages":1}`,
			all, owned, r.FormValue("page"), r.FormValue("page_size"))
	case fault == "keys":
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		fmt.Fprintf(w, `{"items":[{"hosted":null,%s,%q:1,"x-%s":2,%q:3}],%q:[],"total":1,"page":%s,"page_size":%s,"pages":1}`,
			owned, token, token, r.Header.Get("X-Api-Key"), r.Header.Get("X-Api-Key"), r.FormValue("page"), r.FormValue("page_size"))
	default:
		fmt.Fprintf(w, `{"items":[{"hosted":{"id":"1a09d706-2686-4e0a-8b1d-323ff0e3504b","configuration":{"encrypted_env":%q,"user_config":%[1]q,
			"compose_file":{"name":"c","docker_compose_file":%[1]q,"pre_launch_script":%[1]q,"salt":%[1]q}}},"name":"vm","vcpu":2,"syslog_endpoint":%[1]q,%[2]s}],
			"total":1,"page":%[3]s,"page_size":%[4]s,"pages":1}`, canaryUpstream, owned, r.FormValue("page"), r.FormValue("page_size"))
	}
}
