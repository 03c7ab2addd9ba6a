package arkwright.base;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A base that answers for itself, so that one sees it is up. */
@SpringBootApplication
@RestController
public class Base {
    public static void main(String[] arguments) {
        SpringApplication.run(Base.class, arguments);
    }

    @GetMapping("/")
    String whoAnswers() {
        return "base";
    }
}
