package graphsvg
import ("testing";"os";"github.com/floxrun/flox/pkg/flox")
func TestDump(t *testing.T){
 for _,g:=range samples(){ os.WriteFile("/tmp/c-scratch/svg/"+g.Name+".svg", Render(g,nil),0o644)
 os.WriteFile("/tmp/c-scratch/svg/"+g.Name+".dot", []byte(g.DOT(nil)),0o644)
 os.WriteFile("/tmp/c-scratch/svg/"+g.Name+".mmd", []byte(g.Mermaid(nil)),0o644)}
 p:=&flox.Progress{Run:flox.RunInfo{ID:"order-1001",Status:flox.StatusRunning},Nodes:map[string]flox.NodeProgress{"validate":{Done:1},"split":{Done:1},"price":{Done:3,Running:1,Attempts:2},"charge":{Waiting:1},"ship":{Failed:1},"reject":{Held:2}}}
 os.WriteFile("/tmp/c-scratch/svg/progress.svg", Render(order(),p),0o644)
 os.WriteFile("/tmp/c-scratch/svg/progress.dot", []byte(order().DOT(p)),0o644)
 os.WriteFile("/tmp/c-scratch/svg/progress.mmd", []byte(order().Mermaid(p)),0o644)
}
