package administrate

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

//go:embed assumed.go
var assumedSource string

// AssumptionNote contains the comment on an assumption in the source code.
type AssumptionNote struct {
	// Cost says what does not work when the assumption is off.
	Assumption, Cost string
	// Line is the source line at which a developer can correct the name or switch the assumption
	// off, such as "administrate/assumed.go:97".
	Line string
}

// AssumptionNotes reads the comments of all assumptions from assumed.go.
func AssumptionNotes() (map[string]AssumptionNote, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "assumed.go", assumedSource, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("administrate: %w", err)
	}
	notes := map[string]AssumptionNote{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if what, cost, found := strings.Cut(strings.Join(strings.Fields(n.Doc.Text()), " "), "Off: "); found && len(n.Names) == 1 {
				notes[n.Names[0].Name] = AssumptionNote{Assumption: strings.TrimSpace(what), Cost: cost}
			}
		case *ast.CompositeLit: // such as {"Regions", &a.Regions, "regions"}
			if len(n.Elts) != 3 {
				return true
			}
			if text, ok := n.Elts[0].(*ast.BasicLit); ok {
				entry, err := strconv.Unquote(text.Value)
				if note, known := notes[entry]; err == nil && known {
					note.Line = fmt.Sprintf("administrate/assumed.go:%d", files.Position(n.Pos()).Line)
					notes[entry] = note
				}
			}
		}
		return true
	})
	return notes, nil
}
