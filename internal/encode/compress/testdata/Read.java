import java.io.FileInputStream;
import org.xerial.snappy.SnappyInputStream;

/** Writes what snappy-java reads out of the objects that are named to standard output. */
class Read {
    public static void main(String[] args) throws Exception {
        for (var path : args) {
            try (var in = new SnappyInputStream(new FileInputStream(path))) {
                in.transferTo(System.out);
            }
        }
        System.out.flush();
    }
}
