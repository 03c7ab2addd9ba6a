package arkwright.provider;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Answers with its version, after `?sleep=seconds` if asked to, like the Python example of the same name. */
@SpringBootApplication
@RestController
public class Provider {
    private final String version;

    Provider(@Value("${module.version}") String version) {
        this.version = version;
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Provider.class, arguments);
    }

    @GetMapping("/")
    String whichVersion(@RequestParam(defaultValue = "0") double sleep) throws InterruptedException {
        Thread.sleep((long) (1000 * sleep));
        return version;
    }
}
