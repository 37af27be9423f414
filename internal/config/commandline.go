package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

// grammar is the command line as kong knows it. The settings are strings: kong stops at the first value that it
// cannot decode, so we decode them ourselves, after it, and list all that are wrong.
type grammar struct {
	settings

	VersionFlag bool `name:"version" help:"Print the version and exit."`

	Serve  struct{} `cmd:"" default:"1" help:"Serve GraphQL; the default command."`
	Schema struct{} `cmd:"" help:"Print the GraphQL schema (SDL)."`
	Health struct{} `cmd:"" help:"Ask /readyz on --listen and exit with 0 or 1; for container health checks."`
	Check  struct{} `cmd:"" help:"Check the settings, the upstream, its contract and Redis, say what is wrong, and exit with 0 or 1."`

	Version struct{} `cmd:"" help:"Print the version."`
	Help    struct{} `cmd:"" help:"Print this help."`
}

// commandLine is what args and environment say, before the values are looked at.
type commandLine struct {
	command  Command
	settings settings
	flags    []string        // the settings' names
	given    map[string]bool // the names of those set by a flag or a variable
	typed    map[string]bool // the names of those set by a flag
	problems []string        // with the arguments themselves
}

func readCommandLine(args []string, env environment, stdout io.Writer) (*commandLine, error) {
	var g grammar
	parser, err := kong.New(&g,
		kong.Name("cvmgraph"),
		kong.Description("cvmgraph serves a REST listing of confidential VMs as GraphQL."),
		kong.Writers(stdout, io.Discard),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(helpText),
		kong.Resolvers(env),
	)
	if err != nil {
		return nil, fmt.Errorf("command line grammar: %w", err)
	}
	ctx, problems, err := traceAll(parser, args)
	if err != nil {
		return nil, err
	}
	line := &commandLine{problems: problems, given: map[string]bool{}, typed: map[string]bool{}}
	for _, flag := range parser.Model.Flags {
		if isSetting(flag) {
			line.flags = append(line.flags, flag.Name)
		}
	}
	selected := ctx.Selected()
	switch {
	case isOn(ctx, "help"), selected != nil && selected.Name == string(CommandHelp):
		if err := printHelp(parser, ctx); err != nil {
			return nil, fmt.Errorf("write the help: %w", err)
		}
		line.command = CommandHelp
		return line, nil
	case isOn(ctx, "version"), selected != nil && selected.Name == string(CommandVersion):
		line.command = CommandVersion
		return line, nil
	}
	if err := apply(ctx); err != nil {
		return nil, fmt.Errorf("command line: %w", err)
	}
	line.command, line.settings = Command(ctx.Selected().Name), g.settings
	for _, step := range ctx.Path {
		if step.Flag != nil {
			line.given[step.Flag.Name] = true
			line.typed[step.Flag.Name] = line.typed[step.Flag.Name] || !step.Resolved
		}
	}
	return line, nil
}

// printHelp prints the help of the selected command, or of the program if the command is help.
func printHelp(parser *kong.Kong, ctx *kong.Context) error {
	if selected := ctx.Selected(); selected != nil && selected.Name == string(CommandHelp) {
		var err error
		if ctx, err = kong.Trace(parser, []string{"--help"}); err != nil {
			return err
		}
	}
	return ctx.PrintUsage(false)
}

// credentials says what is wrong with credentials beside a command that has no use for them: a flag is refused, for somebody takes it to be
// of use, and a variable is ignored, for it may be meant for the check of the same deployment. Commands that do not serve say nothing of it.
func (line *commandLine) credentials() (ignored, refused []string) {
	for _, flag := range []string{"token", "api-key"} {
		text := settingLabel(flag) + ": is for cvmgraph check alone, callers bring their own credentials"
		switch {
		case line.typed[flag]:
			refused = append(refused, text)
		case line.given[flag] && line.command == CommandServe:
			ignored = append(ignored, text)
		}
	}
	return ignored, refused
}

// apply writes defaults, variables and flags to the grammar: what kong's own Parse does, without its hooks, of
// which the one for help would exit.
func apply(ctx *kong.Context) error {
	if err := ctx.Reset(); err != nil {
		return err
	}
	if err := ctx.Resolve(); err != nil {
		return err
	}
	if _, err := ctx.Apply(); err != nil {
		return err
	}
	return ctx.Validate()
}

// traceAll matches args with the grammar and goes on where kong stops: an argument that it refuses is noted, left
// out, and the rest is matched anew. The context returned is free of errors, or one that asks for help.
func traceAll(parser *kong.Kong, args []string) (*kong.Context, []string, error) {
	args = slices.Clone(args)
	var problems []string
	for {
		ctx, err := kong.Trace(parser, args)
		if err != nil {
			return nil, nil, fmt.Errorf("command line: %w", err)
		}
		if ctx.Error == nil || isOn(ctx, "help") {
			return ctx, problems, nil
		}
		// What the last step that succeeded has left over starts with the refused argument.
		at := len(args) - len(ctx.Path[len(ctx.Path)-1].Remainder())
		if at >= len(args) {
			return nil, nil, fmt.Errorf("command line: %w", ctx.Error)
		}
		problem, used := judge(parser.Model, args[at:])
		problems = append(problems, problem)
		args = slices.Delete(args, at, at+used)
	}
}

// judge says what is wrong with the first of args, which kong refused, and how many of them belong to it: the next
// one too, where it looks like the value of an unknown flag. Such a value may be a secret and is not shown.
func judge(model *kong.Application, args []string) (problem string, used int) {
	arg := args[0]
	if arg == "--" {
		return "unexpected arguments after --", len(args)
	}
	if !strings.HasPrefix(arg, "-") || arg == "-" {
		return "unexpected argument " + quote(arg) + didYouMean("", arg, commandNames(model)), 1
	}
	name, _, joined := strings.Cut(strings.TrimPrefix(arg, "--"), "=") // "-p" keeps its dash

	var known []string
	for _, flag := range model.Flags {
		if flag.Name != name {
			known = append(known, flag.Name)
			continue
		}
		if flag.IsBool() {
			return label(flag) + ": must be true or false", 1
		}
		problem = label(flag) + ": no value given"
		if len(args) > 1 {
			problem += " (one that begins with a dash is written --" + name + "=-…)"
		}
		return problem, 1
	}
	used = 1
	if !joined && len(args) > 1 && !strings.HasPrefix(args[1], "-") && !slices.Contains(commandNames(model), args[1]) {
		used = 2
	}
	if strings.HasPrefix(arg, "--") {
		name = flagLetters(name)
		return "unknown flag --" + name + didYouMean("--", name, known), used
	}
	if name = strings.TrimPrefix(name, "-"); slices.Contains(known, name) {
		return "unknown flag -" + name + ", did you mean --" + name + "?", used
	}
	// After one dash and one letter comes another flag, or a value.
	return "unknown flag -" + string([]rune(name)[:min(1, len(name))]), used
}

// flagLetters returns the head of name that could be a flag: the rest may be a value, after a wrong separator.
func flagLetters(name string) string {
	end := strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		return name
	}
	return name[:end]
}

func commandNames(model *kong.Application) []string {
	var names []string
	for _, command := range model.Children {
		names = append(names, command.Name)
	}
	return names
}

// isOn reports whether the boolean flag was given, and not as false.
func isOn(ctx *kong.Context, name string) bool {
	return slices.ContainsFunc(ctx.Path, func(step *kong.Path) bool {
		return step.Flag != nil && step.Flag.Name == name && ctx.Value(step).Bool()
	})
}

// isSetting tells the settings from --help and --version: these have no default, and no variable.
func isSetting(flag *kong.Flag) bool {
	return flag.HasDefault
}

// label names a flag, and the variable of a setting.
func label(flag *kong.Flag) string {
	if isSetting(flag) {
		return settingLabel(flag.Name)
	}
	return "--" + flag.Name
}

// helpText is a flag's help with its default and its variable.
func helpText(value *kong.Value) string {
	if value.Flag == nil || !isSetting(value.Flag) {
		return value.Help
	}
	written := value.Default
	if written == "" {
		written = "empty"
	}
	return fmt.Sprintf("%s Default %s. [%s]", value.Help, written, variable(value.Name))
}
