package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// composeFile returns the compose file of the machine.
func (m *machine) composeFile(r *rand.Rand) *composeFile {
	services := []app{*m.app}
	for _, i := range r.Perm(len(m.catalog.sidecars))[:r.IntN(3)] {
		services = append(services, m.catalog.sidecars[i])
	}
	c := &composeFile{
		Name:                    m.name,
		AllowedEnvs:             []string{},
		DefaultGatewayDomain:    nullable(m.gateway()),
		DockerComposeFile:       new(compose(r, services)),
		KMSEnabled:              !chance(r, 5),
		LocalKeyProviderEnabled: chance(r, 3),
		ManifestVersion:         2,
		NoInstanceID:            m.instanceID == "",
		PublicLogs:              !chance(r, 30),
		PublicSysinfo:           !chance(r, 20),
		PublicTCBInfo:           !chance(r, 10),
		Runner:                  "docker-compose",
		GatewayEnabled:          !chance(r, 5),
		Features:                []string{"kms", "tproxy-net"},
		SecureTime:              chance(r, 20),
		StorageFS:               oneOf(r, 5, "zfs", "zfs", "ext4"),
	}
	c.TProxyEnabled = c.GatewayEnabled // its old name
	for _, s := range services {
		c.AllowedEnvs = append(c.AllowedEnvs, s.envs...)
	}
	if m.reportsNothing() {
		c.ManifestVersion = 1
	}
	if !chance(r, 20) {
		c.PreLaunchScript = new(preLaunch)
	}
	if chance(r, 5) {
		c.InitScript = new("#!/bin/sh\nsysctl -w vm.max_map_count=262144\n")
	}
	if chance(r, 10) {
		c.Salt = new(hexText(r, 32))
	}
	if chance(r, 4) {
		c.Runner = "bash"
		c.DockerComposeFile = nil
		c.BashScript = new("#!/bin/bash\nexec /opt/" + m.app.name + " --port " + fmt.Sprint(m.app.port) + "\n")
	}
	return c
}

const preLaunch = `#!/bin/bash
echo "Phala Cloud Pre-Launch Script"
set -e
mkdir -p /var/log/app
if [[ -n "$REGISTRY_PASSWORD" ]]; then
	echo "Logging in to $REGISTRY"
	echo "$REGISTRY_PASSWORD" | docker login "$REGISTRY" -u "$REGISTRY_USER" --password-stdin
fi
docker image prune -af --filter "until=168h" || true
`

// compose returns a docker compose file. A few contain awkwardText.
func compose(r *rand.Rand, services []app) string {
	var b strings.Builder
	if chance(r, 6) {
		b.WriteString(awkwardText)
	}
	b.WriteString("services:\n")
	for i, s := range services {
		fmt.Fprintf(&b, "  %s:\n    image: %s\n    restart: unless-stopped\n", s.name, s.image)
		if i == 0 {
			fmt.Fprintf(&b, "    ports:\n      - \"80:%d\"\n", s.port)
		} else {
			fmt.Fprintf(&b, "    expose:\n      - \"%d\"\n", s.port)
		}
		if len(s.envs) > 0 {
			b.WriteString("    environment:\n")
		}
		for _, env := range s.envs {
			fmt.Fprintf(&b, "      - %s=${%s}\n", env, env)
		}
		b.WriteString("    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n")
		if i == 0 {
			b.WriteString("      - /var/run/tappd.sock:/var/run/tappd.sock\n")
		} else {
			fmt.Fprintf(&b, "      - %s-data:/data\n", s.name)
		}
		fmt.Fprintf(&b, "    healthcheck:\n      test: [\"CMD-SHELL\", \"wget -qO- http://127.0.0.1:%d/health || exit 1\"]\n      interval: %ds\n", s.port, 10+r.IntN(50))
	}
	if len(services) > 1 {
		b.WriteString("volumes:\n")
		for _, s := range services[1:] {
			fmt.Fprintf(&b, "  %s-data:\n", s.name)
		}
	}
	return b.String()
}
