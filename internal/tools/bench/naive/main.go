// Command naive is a gateway as it is usually written with gqlgen: encoding/json decodes upstream
// pages into structs that are bound to the schema, each request has a dataloader, and the handler
// has the usual extensions. It is a peer in the benchmark.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/tools/bench/naive/generated"
)

//go:generate go tool gqlgen generate

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address to listen on")
	upstream := flag.String("upstream", "http://127.0.0.1:8082/api/v1", "base URL of the REST API")
	flag.Parse()

	http.Handle("/graphql", withLoader(newClient(*upstream), newServer()))
	err := http.ListenAndServe(*listen, nil)
	fmt.Fprintln(os.Stderr, "naive:", err)
	os.Exit(1)
}

// newServer returns the server of gqlgen's template.
func newServer() *handler.Server {
	server := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: &Resolver{}}))
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{})
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	server.Use(extension.Introspection{})
	server.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](100)})
	return server
}
