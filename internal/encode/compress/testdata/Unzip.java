import java.io.FileInputStream;
import java.util.zip.ZipInputStream;

/**
 * Writes the only file of each archive that is named to standard output. ZipInputStream reads from
 * front to back and so goes by the data descriptor, where others go by the directory.
 */
class Unzip {
    public static void main(String[] args) throws Exception {
        for (var path : args) {
            try (var in = new ZipInputStream(new FileInputStream(path))) {
                in.getNextEntry();
                in.transferTo(System.out);
                if (in.getNextEntry() != null) {
                    throw new IllegalStateException(path + " holds a second file");
                }
            }
        }
        System.out.flush();
    }
}
